"""Which questions the tallies answer: those about the whole fleet, an app, a group or a rollout, not about a device."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

from sqlalchemy import ColumnElement, Subquery, func, select
from sqlalchemy.orm import Session

from control.answers.job_filter import JobFilter, aimed_at
from control.catalog.revisions import find_app
from control.fleet.groups import find_group
from control.rollouts.lookup import find_rollout
from control.tallies.standings import standings


@dataclass(frozen=True)
class Tallied:
    """Where the answer is.

    Attributes:
        standings: See `control.tallies.standings`.
        wanted: What a row of it must fulfil.
        is_of_some: Whether the devices of a group or a rollout are meant, not the whole fleet.
    """

    standings: Subquery
    wanted: tuple[ColumnElement[bool], ...]
    is_of_some: bool

    @classmethod
    def of(cls, session: Session, asked: JobFilter) -> Self | None:
        """Where the answer is; None where only the jobs themselves can tell.

        Raises:
            NotFoundError: The filter names something that is not there.
            InputError: Its target could be several things.
        """
        wanted = _with_target(session, asked)
        if wanted is None or wanted.device is not None or wanted.group_ids == frozenset():
            return None
        groups = sorted(_groups(session, wanted))
        rollouts = [] if wanted.rollout is None else [find_rollout(session, wanted.rollout)]
        if len(groups) + len(rollouts) > 1 or not all(rollout.is_tallied for rollout in rollouts):
            return None
        found = standings(next(iter(groups), None), next(iter(rollouts), None))
        return cls(found, tuple(_conditions(session, wanted, found)), bool(groups or rollouts))

    def number_of_jobs(self, session: Session) -> int:
        """How many jobs that are."""
        return int(session.scalar(select(func.sum(self.standings.c.jobs)).where(*self.wanted)) or 0)


def _with_target(session: Session, asked: JobFilter) -> JobFilter | None:
    """The filter with its target as the app, group or rollout that it is; None where it names another one, too."""
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
