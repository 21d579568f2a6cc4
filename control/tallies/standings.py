"""How many of the newest jobs are where right now: the tallies, put right by the jobs that have moved since.

One statement reads both, so it sees one moment, and the numbers are those that counting all jobs would give.
"""

from typing import Final

from sqlalchemy import Subquery, case, literal, null, select, text, union_all

from control.database.tables import Job, JobTally
from control.database.tables.job_place import HAS_MOVED, PLACE

#: Of a row of `jobs`: it is somewhere else than where it was counted; and it is to be counted somewhere.
HAS_MOVED_SINCE: Final = text(HAS_MOVED)
IS_SOMEWHERE: Final = text(f"({PLACE}) <> ''")


def standings() -> Subquery:
    """Columns `app_id`, `state`, `outcome`, `next_action_reason`, `phase`, `error_number`, `error_code`, and `jobs`.

    Several rows may be of the same place, and `jobs` may be negative: add them up.
    """
    facts = (
        JobTally.app_id,
        JobTally.state,
        JobTally.outcome,
        JobTally.next_action_reason,
        JobTally.phase,
        JobTally.error_number,
        JobTally.error_code,
    )
    counted = select(*facts, JobTally.jobs)
    moved = select(Job.app_id, Job.tallied_as).where(HAS_MOVED_SINCE).subquery("moved")
    no_more = select(*facts, literal(-1).label("jobs")).join(
        moved, (moved.c.app_id == JobTally.app_id) & (moved.c.tallied_as == JobTally.place)
    )
    has_error = Job.error_code.is_not(None)
    by_now = select(
        Job.app_id,
        Job.state,
        Job.outcome,
        Job.next_action_reason,
        case((has_error, Job.phase), else_=null()).label("phase"),
        case((has_error, Job.error_number), else_=null()).label("error_number"),
        Job.error_code,
        literal(1).label("jobs"),
    ).where(HAS_MOVED_SINCE, IS_SOMEWHERE)
    return union_all(counted, no_more, by_now).subquery("standings")
