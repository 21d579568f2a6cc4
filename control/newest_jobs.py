"""The newest job for each device and app."""

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func, or_, select
from sqlalchemy.orm import aliased

from contract.jobs import JobState
from control.cancel_reasons import CancelReason
from control.database.tables import Job
from control.live_states import LIVE_STATES


def is_newest() -> ColumnElement[bool]:
    """Whether a row of `jobs` is the newest of its device and app, those set aside that nobody wants any more.

    Unlike `newest_job_ids` it costs what the rows cost that are looked at: it suits a page of a long list.
    """
    other = aliased(Job)
    same_pair = and_(other.device_id == Job.device_id, other.app_id == Job.app_id, ~_is_unwanted(other))
    later = other.created_at > Job.created_at
    alive, other_alive = Job.state.in_(LIVE_STATES), other.state.in_(LIVE_STATES)
    # Of those made in the same instant the one that is alive, else any.
    first_of_equals = or_(other_alive > alive, and_(other_alive == alive, other.id > Job.id))
    at_once = and_(other.created_at == Job.created_at, first_of_equals)
    return and_(~_is_unwanted(Job), ~exists().where(same_pair, or_(later, at_once)))


def _is_unwanted(job: type[Job]) -> ColumnElement[bool]:
    unwanted = and_(job.state == JobState.CANCELLED, job.cancel_reason == CancelReason.SUPERSEDED)
    return func.coalesce(unwanted, false())


def newest_job_ids(
    *, first_device_id: str | None = None, last_device_id: str | None = None, superseded: bool = True
) -> Select[str]:
    """The ids of the newest jobs; of those made in the same instant the one that is alive, or was wanted last.

    Args:
        first_device_id: Only of devices from this one on, in the order of their ids.
        last_device_id: Only of devices up to this one.
        superseded: Whether a job that was cancelled because nobody wanted it counts as the newest.
    """
    unwanted = _is_unwanted(Job)
    standing = case((Job.state.in_(LIVE_STATES), 0), (Job.state == JobState.FINISHED, 1), (unwanted, 3), else_=2)
    rank = func.row_number().over(partition_by=(Job.device_id, Job.app_id), order_by=(Job.created_at.desc(), standing))
    ranked = select(Job.id, rank.label("rank"))
    if first_device_id is not None:
        ranked = ranked.where(Job.device_id >= first_device_id)
    if last_device_id is not None:
        ranked = ranked.where(Job.device_id <= last_device_id)
    if not superseded:
        ranked = ranked.where(~unwanted)
    found = ranked.subquery()
    return select(found.c.id).where(found.c["rank"] == 1)
