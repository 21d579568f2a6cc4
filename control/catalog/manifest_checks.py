"""What one field of a manifest alone cannot show: names said twice, and an app that names itself."""

from collections.abc import Iterator, Sequence
from typing import Final

from pydantic_core import InitErrorDetails, PydanticCustomError

from control.catalog.assignment_entries import AssignmentEntry
from control.catalog.manifest_entries import (
    DependencyEntry,
    RetryEntry,
    SecretEntry,
    SupersedenceEntry,
)

_REPEATED: Final = PydanticCustomError("repeated", "is named twice in this list")
_CONTRADICTION: Final = PydanticCustomError("contradiction", "is a dependency, too")
_SELF_REFERENCE: Final = PydanticCustomError("self_reference", "an app cannot name itself")


def misfit_relations(
    app: str, list_name: str, entries: Sequence[DependencyEntry | SupersedenceEntry]
) -> Iterator[InitErrorDetails]:
    """Each entry that names the app itself, or an app that was named before, with its place."""
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        if entry.app == app:
            yield _error(_SELF_REFERENCE, (list_name, index, "app"), entry.app)
        elif entry.app in seen:
            yield _error(_REPEATED, (list_name, index, "app"), entry.app)
        seen.add(entry.app)


def misfit_roles(
    dependencies: Sequence[DependencyEntry], supersedence: Sequence[SupersedenceEntry]
) -> Iterator[InitErrorDetails]:
    """Each superseded app that is a dependency, too: it cannot have to be there and have to go."""
    needed = {entry.app for entry in dependencies}
    for index, entry in enumerate(supersedence):
        if entry.app in needed:
            yield _error(_CONTRADICTION, ("supersedence", index, "app"), entry.app)


def misfit_assignments(list_name: str, entries: Sequence[AssignmentEntry]) -> Iterator[InitErrorDetails]:
    """Each entry for a group that was named before, with its place: a group has one intent for an app."""
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        if entry.group in seen:
            yield _error(_REPEATED, (list_name, index, "group"), entry.group)
        seen.add(entry.group)


def misfit_retries(list_name: str, entries: Sequence[RetryEntry]) -> Iterator[InitErrorDetails]:
    """Each entry for a class of failure that was named before, with its place."""
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        if entry.failure in seen:
            yield _error(_REPEATED, (list_name, index, "failure"), entry.failure)
        seen.add(entry.failure)


def misfit_secrets(list_name: str, entries: Sequence[SecretEntry]) -> Iterator[InitErrorDetails]:
    """Each entry that takes a variable or a file of a command that an entry before it has taken, with its place."""
    seen: set[tuple[str, str, str]] = set()
    for index, entry in enumerate(entries):
        commands = ("install", "uninstall") if entry.command == "both" else (entry.command,)
        taken = {(command, *entry.place) for command in commands}
        if taken & seen:
            way = "file" if entry.env is None else "env"
            yield _error(_REPEATED, (list_name, index, way), entry.env or entry.file or "")
        seen |= taken


def _error(kind: PydanticCustomError, place: tuple[str | int, ...], found: str) -> InitErrorDetails:
    return InitErrorDetails(type=kind, loc=place, input=found)
