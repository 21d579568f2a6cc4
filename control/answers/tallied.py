"""Which questions the tallies answer: those about the whole fleet, an app or a group, not about single devices."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

from sqlalchemy import ColumnElement, Subquery
from sqlalchemy.orm import Session

from control.answers.job_filter import JobFilter, aimed_at
from control.catalog.revisions import find_app
from control.fleet.groups import find_group
from control.tallies.standings import standings


@dataclass(frozen=True)
class Tallied:
    """Where the answer is.

    Attributes:
        standings: See `control.tallies.standings`.
        wanted: What a row of it must fulfil.
        is_of_group: Whether the devices of a group are meant, not the whole fleet.
    """

    standings: Subquery
    wanted: tuple[ColumnElement[bool], ...]
    is_of_group: bool

    @classmethod
    def of(cls, session: Session, asked: JobFilter) -> Self | None:
        """Where the answer is; None where only the jobs themselves can tell.

        Raises:
            NotFoundError: The filter names something that is not there.
            InputError: Its target could be several things.
        """
        wanted = _with_target(session, asked)
        if wanted is None or wanted.device is not None or wanted.rollout is not None:
            return None
        groups = _groups(session, wanted)
        if len(groups) > 1 or wanted.group_ids == frozenset():
            return None
        found = standings(*groups)
        return cls(found, tuple(_conditions(session, wanted, found)), bool(groups))


def _with_target(session: Session, asked: JobFilter) -> JobFilter | None:
    """The filter with its target as the app or group that it is; None where it names another one, too."""
    if asked.target is None:
        return asked
    aimed = {name: value for name, value in vars(aimed_at(session, asked.target)).items() if value}
    if any(getattr(asked, name) is not None for name in aimed):
        return None
    return replace(asked, target=None, **aimed)


def _groups(session: Session, wanted: JobFilter) -> frozenset[str]:
    """The groups that are named in any way."""
    named = frozenset() if wanted.group is None else frozenset({find_group(session, wanted.group).id})
    return named | (wanted.group_ids or frozenset())


def _conditions(session: Session, wanted: JobFilter, of: Subquery) -> Iterator[ColumnElement[bool]]:
    named: dict[str, Any] = {
        "app_id": None if wanted.app is None else find_app(session, wanted.app).id,
        "state": wanted.state,
        "outcome": wanted.outcome,
        "error_code": wanted.error_code,
    }
    yield from (of.c[name] == value for name, value in named.items() if value is not None)
