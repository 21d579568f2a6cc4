"""The newest job for each device and app: a flag in the job's row, moved in the transactions that make and end jobs.

A job that nobody wanted any more before it was sent never was: the one before it stays the newest, as it is still how
the device stands.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, false, func, select, tuple_, update
from sqlalchemy.orm import Session

from contract.jobs import JobState
from control.cancel_reasons import CancelReason
from control.database.tables import Job

#: Databases bound the number of parameters of one statement.
_BATCH: Final = 500

_UNWANTED: Final = func.coalesce(
    and_(Job.state == JobState.CANCELLED, Job.cancel_reason == CancelReason.SUPERSEDED), false()
)
_NEVER_WAS: Final = and_(_UNWANTED, Job.sent_at.is_(None))
_PAIR: Final = tuple_(Job.device_id, Job.app_id)


def is_newest() -> ColumnElement[bool]:
    """Whether a row of `jobs` is the newest of its device and app, and was not cancelled as nobody wants it."""
    return and_(Job.is_newest, ~_UNWANTED)


def make_way(session: Session, pairs: Iterable[tuple[str, str]]) -> None:
    """Clear the flag for these devices and apps (`(device_id, app_id)`): newer jobs follow in this transaction."""
    rest = iter(pairs)
    while batch := list(islice(rest, _BATCH)):
        session.execute(update(Job).where(Job.is_newest, *_of(batch)).values(is_newest=False))


def give_way(session: Session, job_ids: Sequence[str]) -> None:
    """Hand the flag of jobs that were superseded before they were sent to the ones before them, where there are any."""
    for start in range(0, len(job_ids), _BATCH):
        never_were = (Job.id.in_(job_ids[start : start + _BATCH]), Job.is_newest, _NEVER_WAS)
        pairs = [(device, app) for device, app in session.execute(select(Job.device_id, Job.app_id).where(*never_were))]
        if pairs:
            make_way(session, pairs)
            session.execute(update(Job).where(Job.id.in_(_newest_of(pairs))).values(is_newest=True))


def _newest_of(pairs: Sequence[tuple[str, str]]) -> Select[str]:
    newest_first = (Job.created_at.desc(), Job.id.desc())
    rank = func.row_number().over(partition_by=(Job.device_id, Job.app_id), order_by=newest_first)
    ranked = select(Job.id, rank.label("rank")).where(*_of(pairs), ~_NEVER_WAS).subquery()
    return select(ranked.c.id).where(ranked.c["rank"] == 1)


def _of(pairs: Sequence[tuple[str, str]]) -> tuple[ColumnElement[bool], ...]:
    """Jobs of these devices and apps; SQLite finds devices in an index, and would read all jobs for a list of pairs."""
    return Job.device_id.in_({device_id for device_id, _ in pairs}), _PAIR.in_(pairs)
