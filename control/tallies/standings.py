"""How many of the newest jobs are where right now: the tallies, put right by the jobs that have moved since.

One statement reads both, so it sees one moment, and the numbers are those that counting all jobs would give.
"""

from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Select, Subquery, case, literal, null, select, text, union_all

from control.database.tables import GroupMember, GroupTally, Job, JobTally
from control.database.tables.job_place import HAS_MOVED, PLACE

#: Of a row of `jobs`: it is somewhere else than where it was counted; and it is to be counted somewhere.
HAS_MOVED_SINCE: Final = text(HAS_MOVED)
IS_SOMEWHERE: Final = text(f"({PLACE}) <> ''")


#: What a row of `standings` says besides the app and the number of jobs.
_FACTS: Final = (
    JobTally.state,
    JobTally.outcome,
    JobTally.next_action_reason,
    JobTally.phase,
    JobTally.error_number,
    JobTally.error_code,
)


def standings(group_id: str | None = None) -> Subquery:
    """Columns `app_id`, `state`, `outcome`, `next_action_reason`, `phase`, `error_number`, `error_code`, and `jobs`.

    Several rows may be of the same place, and `jobs` may be negative: add them up.

    Args:
        group_id: Of the devices in this group only.
    """
    parts = _of_fleet() if group_id is None else _of_group(group_id)
    return union_all(*parts).subquery("standings")


_Part: TypeAlias = Select[*tuple[Any, ...]]


def _of_fleet() -> tuple[_Part, ...]:
    counted: _Part = select(JobTally.app_id, *_FACTS, JobTally.jobs)
    return counted, _no_more(), _by_now().where(HAS_MOVED_SINCE)


def _of_group(group_id: str) -> tuple[_Part, ...]:
    there = (JobTally.app_id == GroupTally.app_id) & (JobTally.place == GroupTally.place)
    counted: _Part = select(JobTally.app_id, *_FACTS, GroupTally.jobs).join(GroupTally, there)
    own = GroupMember.group_id == group_id
    members = _by_now().join(GroupMember, (GroupMember.device_id == Job.device_id) & own)
    moved = select(GroupMember.device_id).where(own, GroupMember.is_tallied)
    return (
        counted.where(GroupTally.group_id == group_id),
        _no_more(_is_in(moved)),
        _by_now().where(HAS_MOVED_SINCE, _is_in(moved)),
        members.where(~GroupMember.is_tallied),
    )


def _is_in(members: Select[str]) -> ColumnElement[bool]:
    # Few jobs have moved: each is looked up, rather than all members listed first.
    return members.where(GroupMember.device_id == Job.device_id).limit(1).scalar_subquery().is_not(None)


def _no_more(*which: ColumnElement[bool]) -> _Part:
    """Those that have moved, taken from where they were counted."""
    moved = select(Job.app_id, Job.tallied_as).where(HAS_MOVED_SINCE, *which).subquery("moved")
    there = (moved.c.app_id == JobTally.app_id) & (moved.c.tallied_as == JobTally.place)
    return select(JobTally.app_id, *_FACTS, literal(-1).label("jobs")).join(moved, there)


def _by_now() -> _Part:
    """Jobs where they are themselves."""
    has_error = Job.error_code.is_not(None)
    return select(
        Job.app_id,
        Job.state,
        Job.outcome,
        Job.next_action_reason,
        case((has_error, Job.phase), else_=null()).label("phase"),
        case((has_error, Job.error_number), else_=null()).label("error_number"),
        Job.error_code,
        literal(1).label("jobs"),
    ).where(IS_SOMEWHERE)
