"""The newest job for each device and app."""

from sqlalchemy import Select, and_, case, false, func, select

from contract.jobs import JobState
from control.cancel_reasons import CancelReason
from control.database.tables import Job
from control.live_states import LIVE_STATES


def newest_job_ids(*, device_id: str | None = None, superseded: bool = True) -> Select[str]:
    """The ids of the newest jobs; of those made in the same instant the one that is alive, or was wanted last.

    Args:
        device_id: Of this device only.
        superseded: Whether a job that was cancelled because nobody wanted it counts as the newest.
    """
    unwanted = and_(Job.state == JobState.CANCELLED, Job.cancel_reason == CancelReason.SUPERSEDED)
    standing = case((Job.state.in_(LIVE_STATES), 0), (Job.state == JobState.FINISHED, 1), (unwanted, 3), else_=2)
    rank = func.row_number().over(partition_by=(Job.device_id, Job.app_id), order_by=(Job.created_at.desc(), standing))
    ranked = select(Job.id, rank.label("rank"))
    if device_id is not None:
        ranked = ranked.where(Job.device_id == device_id)
    if not superseded:
        ranked = ranked.where(~func.coalesce(unwanted, false()))
    found = ranked.subquery()
    return select(found.c.id).where(found.c["rank"] == 1)
