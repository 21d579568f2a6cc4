"""What one field of a manifest alone cannot show: names said twice, and an app that names itself."""

from collections.abc import Iterator, Sequence
from typing import Final

from pydantic_core import InitErrorDetails, PydanticCustomError

from control.catalog.manifest_entries import AssignmentEntry, DependencyEntry, RetryEntry, SupersedenceEntry

_REPEATED: Final = PydanticCustomError("repeated", "is named twice in this list")
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


def _error(kind: PydanticCustomError, place: tuple[str | int, ...], found: str) -> InitErrorDetails:
    return InitErrorDetails(type=kind, loc=place, input=found)
