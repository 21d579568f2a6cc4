"""How many jobs are where: counted by the database, put together by pure functions."""

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum

from sqlalchemy import BigInteger, ColumnElement, Row, cast, func, select
from sqlalchemy.orm import Session

from contract.jobs import JobState
from contract.report import WaitReason
from contract.states import Outcome
from control.answers.job_filter import JobFilter, conditions
from control.answers.moment import Moment
from control.answers.tallied import Tallied
from control.database.tables import Device, Job
from control.live_states import LIVE_STATES
from control.views.status import JobCount, JobSummary


class Place(StrEnum):
    """Where a job is, as far as somebody who waits for it is concerned."""

    DONE = "done"
    NOT_APPLICABLE = "not_applicable"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RETRYING = "retrying"
    UNDER_WAY = "under_way"


_NOT_FOR_THE_DEVICE = frozenset({Outcome.NOT_APPLICABLE, Outcome.REQUIREMENTS_NOT_MET, Outcome.EVALUATED})
#: Waits that follow when all attempts of a round have failed.
_LONG_WAITS = frozenset({WaitReason.GRS, WaitReason.SCHEDULE})
_OVER_STATES = tuple(state for state in JobState if state not in LIVE_STATES)
_PLACE = (Job.state, Job.outcome, Job.next_action_reason)


def place_of(state: JobState, outcome: Outcome | None, reason: WaitReason | None) -> Place:
    """Where a job in this state is, with the outcome of its newest attempt and the reason of its wait."""
    match state:
        case JobState.CANCELLED | JobState.CANCELLING:
            return Place.CANCELLED
        case JobState.FINISHED:
            return _ended(outcome)
        case JobState.WAITING if reason in _LONG_WAITS:
            return Place.FAILED
        case JobState.WAITING:
            return Place.RETRYING
        case _:
            return Place.UNDER_WAY


def summarise(counts: Sequence[JobCount]) -> JobSummary:
    """The counts added up."""
    places: Counter[Place] = Counter()
    offline = 0
    for count in counts:
        place = place_of(count.state, count.outcome, count.reason)
        places[place] += count.jobs
        if place in {Place.RETRYING, Place.UNDER_WAY} and not count.online:
            offline += count.jobs
    numbers = {place.value: places[place] for place in Place}
    return JobSummary(jobs=places.total(), offline=offline, counts=tuple(counts), **numbers)


def job_summary(session: Session, wanted: JobFilter, moment: Moment) -> JobSummary:
    """Where the jobs are that the filter lets through.

    Raises:
        NotFoundError: The filter names something that is not there.
        InputError: What it names could be several things.
    """
    tallied = Tallied.of(session, wanted)
    # As a rule few jobs are live.
    live = _live_counts(session, conditions(session, wanted, one_by_one=tallied is not None), moment)
    over = _over_counted(session, conditions(session, wanted)) if tallied is None else _over_tallied(session, tallied)
    return summarise([*live, *over])


def _live_counts(session: Session, wanted: Sequence[ColumnElement[bool]], moment: Moment) -> Iterator[JobCount]:
    online = (Device.last_seen_at >= moment.online_since) & Device.retired_at.is_(None)
    same = (*_PLACE, online)
    rows = select(*same, func.count()).join(Device, Device.id == Job.device_id).group_by(*same).order_by(*same)
    for state, outcome, reason, is_online, jobs in session.execute(rows.where(Job.state.in_(LIVE_STATES), *wanted)):
        yield JobCount(state=state, outcome=outcome, reason=reason, online=bool(is_online), jobs=jobs)


def _over_tallied(session: Session, tallied: Tallied) -> list[JobCount]:
    found = tallied.standings.c
    place = (found.state, found.outcome, found.next_action_reason)
    jobs = cast(func.sum(found.jobs), BigInteger)
    rows = select(*place, jobs).where(found.state.in_(_OVER_STATES), *tallied.wanted)
    return [_over(row) for row in session.execute(rows.group_by(*place).having(jobs > 0).order_by(*place))]


def _over_counted(session: Session, wanted: Sequence[ColumnElement[bool]]) -> list[JobCount]:
    rows = select(*_PLACE, func.count()).where(Job.state.in_(_OVER_STATES), *wanted)
    return [_over(row) for row in session.execute(rows.group_by(*_PLACE).order_by(*_PLACE))]


def _over(row: Row[JobState, Outcome | None, WaitReason | None, int]) -> JobCount:
    state, outcome, reason, jobs = row
    return JobCount(state=state, outcome=outcome, reason=reason, online=None, jobs=jobs)


def _ended(outcome: Outcome | None) -> Place:
    if outcome is not None and outcome.as_desired:
        return Place.DONE
    if outcome in _NOT_FOR_THE_DEVICE:
        return Place.NOT_APPLICABLE
    return Place.CANCELLED if outcome is Outcome.CANCELLED else Place.FAILED
