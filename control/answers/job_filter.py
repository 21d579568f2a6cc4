"""Which jobs are meant."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from contract.error_codes import ErrorCode
from contract.errors import InputError, NotFoundError
from contract.jobs import JobState
from contract.states import Outcome
from control.catalog.revisions import find_app
from control.database.tables import GroupMember, Job, Rollout, RolloutDevice
from control.fleet.devices import find_device
from control.fleet.groups import find_group
from control.newest_jobs import is_newest
from control.rollouts.lookup import find_rollout


@dataclass(frozen=True)
class JobFilter:
    """Which jobs; None means any. Of a device and app only the newest counts; the device's page has all.

    Attributes:
        device: By name or id.
        rollout: On the devices in this rollout, for its app.
        target: The name of an app, a rollout, a group or a device, whichever of these there is.
        error_code: The error's name in the table.
        everything: The whole fleet is meant where nothing is named.
        group_ids: On devices in one of these groups, whatever else is asked for.
    """

    app: str | None = None
    group: str | None = None
    device: str | None = None
    rollout: str | None = None
    target: str | None = None
    state: JobState | None = None
    outcome: Outcome | None = None
    error_code: str | None = None
    group_ids: frozenset[str] | None = None
    everything: bool = False


def conditions(
    session: Session, wanted: JobFilter, *, past: bool = False, one_by_one: bool = False
) -> tuple[ColumnElement[bool], ...]:
    """What a row of `jobs` must fulfil.

    Args:
        session: A transaction.
        wanted: Which jobs.
        past: Also those that were replaced; of a rollout those for its revision.
        one_by_one: Few jobs will be looked at: whether a device is in a group, say, is looked up for each of them, not
            for all devices beforehand.

    Raises:
        NotFoundError: The filter names something that is not there.
        InputError: Its target could be several things.
    """
    found: list[ColumnElement[bool]] = [] if past else [is_newest()]
    if wanted.target is not None:
        found += conditions(session, aimed_at(session, wanted.target), past=past, one_by_one=one_by_one)
    if wanted.app is not None:
        found.append(Job.app_id == find_app(session, wanted.app).id)
    if wanted.device is not None:
        found.append(Job.device_id == find_device(session, wanted.device).id)
    if wanted.rollout is not None:
        rollout = find_rollout(session, wanted.rollout)
        found += _of_rollout(rollout, one_by_one=one_by_one)
        if past:
            found.append(Job.revision == rollout.revision)
    if wanted.group is not None:
        found.append(_in_groups([find_group(session, wanted.group).id], one_by_one=one_by_one))
    if wanted.group_ids is not None:
        found.append(_in_groups(wanted.group_ids, one_by_one=one_by_one))
    named = {Job.state: wanted.state, Job.outcome: wanted.outcome, Job.error_code: wanted.error_code}
    found += [column == value for column, value in named.items() if value is not None]
    return tuple(found)


def aimed_at(session: Session, name: str) -> JobFilter:
    """The filter for whatever has this name.

    Raises:
        NotFoundError: Nothing has.
        InputError: Several things have.
    """
    kinds = (("app", find_app), ("rollout", find_rollout), ("group", find_group), ("device", find_device))
    found = [kind for kind, find in kinds if _is_found(session, find, name)]
    words = " and of ".join(f"{'an' if kind == 'app' else 'a'} {kind}" for kind in found)
    if not found:
        raise NotFoundError(ErrorCode.UNKNOWN_TARGET, place=name)
    if len(found) > 1:
        detail = f"it is the name of {words}; say which with --{found[0]}"
        raise InputError(ErrorCode.TARGET_AMBIGUOUS, place=name, detail=detail)
    named: dict[str, Any] = {found[0]: name}
    return JobFilter(**named)


def _is_found(session: Session, find: Callable[[Session, str], object], name: str) -> bool:
    try:
        find(session, name)
    except NotFoundError:
        return False
    return True


def _of_rollout(rollout: Rollout, *, one_by_one: bool) -> tuple[ColumnElement[bool], ...]:
    own = (RolloutDevice.rollout_id == rollout.id, RolloutDevice.left_at.is_(None))
    return Job.app_id == rollout.app_id, _is_among(RolloutDevice.device_id, own, one_by_one=one_by_one)


def _in_groups(group_ids: Collection[str], *, one_by_one: bool) -> ColumnElement[bool]:
    return _is_among(GroupMember.device_id, (GroupMember.group_id.in_(group_ids),), one_by_one=one_by_one)


def _is_among(
    devices: InstrumentedAttribute[str], which: Sequence[ColumnElement[bool]], *, one_by_one: bool
) -> ColumnElement[bool]:
    found = select(devices).where(*which)
    if one_by_one:
        # No database makes a table of all of them first for what depends on the job and ends with the first row.
        return found.where(devices == Job.device_id).limit(1).scalar_subquery().is_not(None)
    return Job.device_id.in_(found)
