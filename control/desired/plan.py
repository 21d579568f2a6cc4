"""What has to change so that what is there becomes what should be there; pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.desired.canonical import State, said
from control.desired.documents import (
    KINDS,
    AppDocument,
    AssignmentDocument,
    Document,
    GroupDocument,
    RolloutDocument,
    key_of,
)

#: What pruning removes. Apps keep their history, and a rollout is ended by an order, not by a missing file.
_PRUNED: Final = ("Assignment", "Group", "Filter")


class Action(StrEnum):
    """What happens to a document."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class Change:
    """One document that changes.

    Attributes:
        before: What is there; None where nothing is.
        after: What should be there; None where nothing should.
    """

    action: Action
    before: Document | None
    after: Document | None

    @property
    def key(self) -> tuple[str, str]:
        """Kind and name."""
        document = self.after or self.before
        if document is None:
            raise ValueError("a change of nothing into nothing")
        return key_of(document)

    @property
    def makes_revision(self) -> bool:
        """Whether an app gets a new revision by it."""
        before, after = self.before, self.after
        known = isinstance(before, AppDocument) and isinstance(after, AppDocument) and after.is_revision_of(before)
        return isinstance(after, AppDocument) and not known

    def fields(self) -> Mapping[str, tuple[Any, Any]]:
        """The fields that differ, as they are and as they should be; None where one is not said.

        Of a group's devices, only those that leave (as they are) and those that come (as they should be).
        """
        before = {} if self.before is None else said(self.before)
        after = {} if self.after is None else said(self.after)
        _leave_what_stays(before, after)
        names = [name for name in (before | after) if name != "kind" and before.get(name) != after.get(name)]
        return {name: (before.get(name), after.get(name)) for name in names}


def plan_changes(current: State, wanted: State, *, prune: bool) -> tuple[Change, ...]:
    """The changes, in an order in which each finds what it refers to.

    Args:
        current: What is there.
        wanted: What should be there.
        prune: Whether assignments, groups and filters that are not wanted are removed.

    Raises:
        InputError: A document refers to one that neither is there nor is wanted, apps name each other in a circle, or
            a rollout would be another one.
    """
    gone = [key for key in current if key not in wanted and key[0] in _PRUNED] if prune else []
    _check_references(wanted, known={*current, *wanted} - set(gone))
    wanted = {key: _settled(document, current.get(key)) for key, document in wanted.items()}
    made = [Change(Action.CREATE, None, wanted[key]) for key in wanted if key not in current]
    changed = [
        Change(Action.UPDATE, current[key], wanted[key])
        for key in wanted
        if key in current and current[key] != wanted[key]
    ]
    _refuse_other_rollouts(changed)
    removed = [Change(Action.DELETE, current[key], None) for key in sorted(gone, key=_removal_order)]
    return (*_in_order([*made, *changed]), *removed)


def _settled(document: Document, present: Document | None) -> Document:
    """The document with what it leaves open as it is now."""
    match document, present:
        case GroupDocument(rule=None, members=None), GroupDocument(members=members):
            return document.model_copy(update={"members": members})
        case AppDocument(pin=None), AppDocument(pin=pin):
            return document.model_copy(update={"pin": pin})
        case AppDocument(pin="hold"), AppDocument(pin=pin) if document.is_revision_of(present):
            return document.model_copy(update={"pin": pin})
        case _:
            return document


def _leave_what_stays(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Take out of both sides' members the devices that are in both: the rest is what anybody asks for."""
    old, new = before.get("members") or [], after.get("members") or []
    if "members" in after:
        common = set(old) & set(new)
        before["members"] = [name for name in old if name not in common] or None
        after["members"] = [name for name in new if name not in common] or None


def _in_order(changes: Iterable[Change]) -> list[Change]:
    """By kind; apps after those that they name, everything else by name."""
    listed = list(changes)
    ranks = _app_ranks(change.after for change in listed)
    return sorted(listed, key=lambda change: (KINDS.index(change.key[0]), ranks.get(change.key[1], 0), change.key[1]))


def _app_ranks(documents: Iterable[Document | None]) -> Mapping[str, int]:
    """The place of each app in an order that puts related apps first."""
    graph = {key_of(app)[1]: _related(app) for app in documents if isinstance(app, AppDocument)}
    try:
        return {name: rank for rank, name in enumerate(TopologicalSorter(graph).static_order())}
    except CycleError as error:
        # Its second argument is the cycle, each app before one that names it.
        path = error.args[1][::-1]
        raise InputError(ErrorCode.RELATION_CYCLE, place=f"App {path[0]}", detail=" -> ".join(path)) from None


def _related(app: AppDocument) -> list[str]:
    entries = [*app.manifest.get("dependencies", ()), *app.manifest.get("supersedence", ())]
    return [str(entry["app"]) for entry in entries]


def _removal_order(key: tuple[str, str]) -> tuple[int, str]:
    return _PRUNED.index(key[0]), key[1]


def _check_references(wanted: State, known: Collection[tuple[str, str]]) -> None:
    for key, document in wanted.items():
        for reference in _references(document):
            if reference not in known:
                detail = f"refers to {' '.join(reference)}, which is not there or would be removed"
                raise InputError(ErrorCode.DESIRED_STATE_INVALID, place=" ".join(key), detail=detail)


def _references(document: Document) -> Iterator[tuple[str, str]]:
    match document:
        case AssignmentDocument():
            yield "App", document.app
            yield "Group", document.group
            if document.filter is not None:
                yield "Filter", document.filter
        case RolloutDocument():
            yield "App", document.app
            yield from (("Group", name) for ring in document.rings for name in ring.groups)
            yield from (("Group", name) for name in sorted(document.limits.groups))
        case AppDocument():
            yield from (("App", name) for name in _related(document))


def _refuse_other_rollouts(changed: Iterable[Change]) -> None:
    for change in changed:
        if change.key[0] == "Rollout":
            names = ", ".join(change.fields())
            detail = f"{names} would change, and a rollout stays as it was made; give the new one a name of its own"
            raise InputError(ErrorCode.DESIRED_STATE_INVALID, place=" ".join(change.key), detail=detail)
