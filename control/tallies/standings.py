"""How many of the newest jobs are where right now: the tallies, put right by the jobs that have moved since.

One statement reads both, so it sees one moment, and the numbers are those that counting all jobs would give.
"""

from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, literal, null, select, text, union_all
from sqlalchemy.orm import InstrumentedAttribute

from control.database.tables import GroupMember, GroupTally, Job, JobTally, Rollout, RolloutDevice, RolloutTally
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


def standings(group_id: str | None = None, rollout: Rollout | None = None) -> Subquery:
    """Columns `app_id`, `state`, `outcome`, `next_action_reason`, `phase`, `error_number`, `error_code`, and `jobs`.

    Several rows may be of the same place, and `jobs` may be negative: add them up.

    Args:
        group_id: Of the devices in this group only.
        rollout: Of the devices in this rollout only, for its app; it is tallied.
    """
    parts = _of_rollout(rollout) if rollout is not None else _of_fleet() if group_id is None else _of_group(group_id)
    return union_all(*parts).subquery("standings")


_Part: TypeAlias = Select[*tuple[Any, ...]]


def _of_fleet() -> tuple[_Part, ...]:
    counted: _Part = select(JobTally.app_id, *_FACTS, JobTally.jobs)
    return counted, *_moved()


def _of_group(group_id: str) -> tuple[_Part, ...]:
    own = GroupMember.group_id == group_id
    members = _by_now().join(GroupMember, (GroupMember.device_id == Job.device_id) & own)
    return (
        _counted(GroupTally).where(GroupTally.group_id == group_id),
        *_moved(_has_row(GroupMember.device_id, own, and_(GroupMember.is_tallied))),
        members.where(~GroupMember.is_tallied),
    )


def _of_rollout(rollout: Rollout) -> tuple[_Part, ...]:
    own = (RolloutDevice.rollout_id == rollout.id, RolloutDevice.left_at.is_(None))
    return (
        _counted(RolloutTally).where(RolloutTally.rollout_id == rollout.id),
        *_moved(Job.app_id == rollout.app_id, _has_row(RolloutDevice.device_id, *own)),
    )


def _counted(kind: type[GroupTally] | type[RolloutTally]) -> _Part:
    there = (JobTally.app_id == kind.app_id) & (JobTally.place == kind.place)
    return select(JobTally.app_id, *_FACTS, kind.jobs).join(kind, there)


def _moved(*which: ColumnElement[bool]) -> tuple[_Part, _Part]:
    return _no_more(*which), _by_now().where(HAS_MOVED_SINCE, *which)


def _has_row(device_id: InstrumentedAttribute[str], *which: ColumnElement[bool]) -> ColumnElement[bool]:
    # Few jobs have moved: each is looked up, rather than all devices listed first.
    return select(device_id).where(*which, device_id == Job.device_id).limit(1).scalar_subquery().is_not(None)


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
