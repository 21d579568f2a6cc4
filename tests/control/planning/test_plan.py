"""The plan as a function: random fleets converge, and nobody gets what nobody wants."""

from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.jobs import JobState
from contract.states import Intent
from contract.uplink import GenerationReason
from control.cancel_reasons import CancelReason
from control.planning.intents import winning_intent
from control.planning.models import AssignedIntent, Fleet, KnownJob, Membership
from control.planning.plan import plan, wanted_jobs

LIVE = {JobState.PLANNED, JobState.SENT, JobState.RUNNING, JobState.WAITING, JobState.CANCELLING}

devices = st.sampled_from(["d1", "d2", "d3"])
groups = st.sampled_from(["g1", "g2"])
apps = st.sampled_from(["a1", "a2", "a3"])
intents = st.sampled_from([Intent.AVAILABLE, Intent.REQUIRED, Intent.UNINSTALL])
jobs = st.builds(
    KnownJob,
    job_id=st.uuids().map(str),
    device_id=devices,
    app_id=apps,
    revision=st.integers(1, 3),
    intent=intents,
    state=st.sampled_from(JobState),
    cancel_reason=st.none() | st.sampled_from(CancelReason),
    seen_since=st.booleans(),
)
fleets = st.builds(
    Fleet,
    assignments=st.lists(st.builds(AssignedIntent, app_id=apps, group_id=groups, intent=intents)).map(tuple),
    memberships=st.lists(st.builds(Membership, group_id=groups, device_id=devices)).map(tuple),
    devices=st.frozensets(devices),
    newest_revisions=st.dictionaries(apps, st.integers(1, 3)),
    jobs=st.lists(jobs, unique_by=lambda job: (job.device_id, job.app_id)).map(tuple),
)

ONE = Fleet(
    assignments=(AssignedIntent("a1", "g1", Intent.REQUIRED),),
    memberships=(Membership("g1", "d1"),),
    devices=frozenset({"d1"}),
    newest_revisions={"a1": 1},
    jobs=(),
)


def carried_out(fleet: Fleet) -> Fleet:
    """The fleet after its plan was written down."""
    decided = plan(fleet)
    known = {(job.device_id, job.app_id): job for job in fleet.jobs}
    for target, job in list(known.items()):
        if job.job_id in decided.cancel:
            known[target] = replace(job, state=JobState.CANCELLED, cancel_reason=CancelReason.SUPERSEDED)
        if job.job_id in decided.recall:
            known[target] = replace(job, state=JobState.CANCELLING, cancel_reason=CancelReason.SUPERSEDED)
        if job.job_id in decided.release:
            known[target] = replace(job, cancel_reason=CancelReason.SUPERSEDED)
    numbers = count()
    for new in decided.make:
        known[new.device_id, new.app_id] = KnownJob(
            f"new-{next(numbers)}", new.device_id, new.app_id, new.revision, new.intent, JobState.PLANNED
        )
    return replace(fleet, jobs=tuple(known.values()))


def let_go(fleet: Fleet) -> Fleet:
    """The fleet after all devices have let go of what they were told to."""
    return replace(
        fleet,
        jobs=tuple(
            replace(job, state=JobState.CANCELLED) if job.state is JobState.CANCELLING else job for job in fleet.jobs
        ),
    )


@given(fleets)
def test_planning_what_has_been_planned_changes_nothing(fleet: Fleet) -> None:
    again = plan(carried_out(fleet))
    assert (again.make, again.cancel, again.recall, again.release) == ((), (), (), ())


@given(fleets)
def test_once_devices_have_let_go_one_more_plan_is_enough(fleet: Fleet) -> None:
    settled = carried_out(let_go(carried_out(fleet)))
    again = plan(settled)
    assert (again.make, again.cancel, again.recall, again.release) == ((), (), (), ())
    wanted = wanted_jobs(settled)
    live = {(job.device_id, job.app_id): job for job in settled.jobs if job.state in LIVE}
    assert all((job.revision, job.intent) == (wanted[key].revision, wanted[key].intent) for key, job in live.items())


@given(fleets)
def test_a_new_job_never_meets_a_live_one(fleet: Fleet) -> None:
    decided = plan(fleet)
    still_live = {
        (job.device_id, job.app_id) for job in fleet.jobs if job.state in LIVE and job.job_id not in decided.cancel
    }
    made = [(job.device_id, job.app_id) for job in decided.make]
    assert len(made) == len(set(made))
    assert not still_live & set(made)


@given(fleets)
def test_live_jobs_are_exactly_for_what_is_wanted(fleet: Fleet) -> None:
    wanted = wanted_jobs(fleet)
    for job in carried_out(fleet).jobs:
        if job.state in LIVE and job.state is not JobState.CANCELLING:
            target = wanted[job.device_id, job.app_id]
            assert (job.revision, job.intent) == (target.revision, target.intent)


@given(fleets)
def test_only_enrolled_members_of_assigned_groups_are_given_anything(fleet: Fleet) -> None:
    assigned = {(entry.group_id, entry.app_id) for entry in fleet.assignments}
    for job in plan(fleet).make:
        assert job.device_id in fleet.devices
        assert any(
            (membership.group_id, job.app_id) in assigned
            for membership in fleet.memberships
            if membership.device_id == job.device_id
        )


@pytest.mark.parametrize(
    ("given_intents", "winner"),
    [
        ([Intent.REQUIRED, Intent.UNINSTALL], Intent.REQUIRED),
        ([Intent.AVAILABLE, Intent.UNINSTALL], Intent.UNINSTALL),
        ([Intent.AVAILABLE, Intent.REQUIRED], Intent.REQUIRED),
        ([Intent.AVAILABLE], Intent.AVAILABLE),
        ([], Intent.NOT_TARGETED),
    ],
)
def test_conflicts_are_settled_as_in_the_original(given_intents: list[Intent], winner: Intent) -> None:
    assert winning_intent(given_intents) is winner


def test_available_is_not_pushed() -> None:
    assert plan(replace(ONE, assignments=(AssignedIntent("a1", "g1", Intent.AVAILABLE),))).make == ()


@pytest.mark.parametrize("state", [state for state in JobState if state is not JobState.CANCELLED])
def test_a_job_for_what_is_wanted_is_left_alone(state: JobState) -> None:
    known = KnownJob("j", "d1", "a1", 1, Intent.REQUIRED, state)
    decided = plan(replace(ONE, jobs=(known,)))
    assert (decided.make, decided.cancel) == ((), ())


def test_a_new_revision_takes_the_place_of_a_job_under_way() -> None:
    known = KnownJob("j", "d1", "a1", 1, Intent.REQUIRED, JobState.WAITING)
    decided = plan(replace(ONE, newest_revisions={"a1": 2}, jobs=(known,)))
    assert decided.cancel == ("j",)
    assert [(job.revision, job.reason) for job in decided.make] == [(2, GenerationReason.REVISION)]


def test_a_device_lets_go_of_what_it_is_running_before_it_gets_something_else_for_the_app() -> None:
    known = KnownJob("j", "d1", "a1", 1, Intent.REQUIRED, JobState.RUNNING)
    fleet = replace(ONE, newest_revisions={"a1": 2}, jobs=(known,))
    decided = plan(fleet)
    assert (decided.recall, decided.cancel, decided.make) == (("j",), (), ())
    assert [job.revision for job in plan(let_go(carried_out(fleet))).make] == [2]


def test_a_retired_device_is_not_waited_for() -> None:
    known = KnownJob("j", "d1", "a1", 1, Intent.REQUIRED, JobState.RUNNING)
    decided = plan(replace(ONE, devices=frozenset(), jobs=(known,)))
    assert (decided.recall, decided.cancel) == ((), ("j",))


def cancelled(reason: CancelReason, *, seen_since: bool = False) -> Fleet:
    known = KnownJob("j", "d1", "a1", 1, Intent.REQUIRED, JobState.CANCELLED, reason, seen_since)
    return replace(ONE, jobs=(known,))


def test_what_an_operator_cancelled_is_not_made_again_while_the_same_is_wanted() -> None:
    fleet = cancelled(CancelReason.OPERATOR, seen_since=True)
    assert plan(fleet).make == ()
    assert [job.revision for job in plan(replace(fleet, newest_revisions={"a1": 2})).make] == [2]
    assert plan(replace(fleet, assignments=())).release == ("j",)


def test_what_expired_is_made_again_when_its_device_is_seen() -> None:
    assert plan(cancelled(CancelReason.EXPIRED)).make == ()
    (made,) = plan(cancelled(CancelReason.EXPIRED, seen_since=True)).make
    assert made.reason is GenerationReason.RESTORED


def test_a_new_revision_is_a_new_job_where_the_old_one_is_over() -> None:
    known = KnownJob("j", "d1", "a1", 1, Intent.REQUIRED, JobState.FINISHED)
    decided = plan(replace(ONE, newest_revisions={"a1": 2}, jobs=(known,)))
    assert decided.cancel == ()
    assert [job.revision for job in decided.make] == [2]


def test_what_nobody_wants_any_more_is_cancelled() -> None:
    known = KnownJob("j", "d1", "a1", 1, Intent.REQUIRED, JobState.WAITING)
    assert plan(replace(ONE, assignments=(), jobs=(known,))).cancel == ("j",)


def test_what_was_cancelled_and_is_wanted_again_is_made_again() -> None:
    known = KnownJob("j", "d1", "a1", 1, Intent.REQUIRED, JobState.CANCELLED)
    assert len(plan(replace(ONE, jobs=(known,))).make) == 1
