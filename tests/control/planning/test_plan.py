"""The plan as a function: which job is made, changed or cancelled for what is wanted of a device."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contract.jobs import JobState
from contract.states import Intent
from contract.uplink import GenerationReason
from control.cancel_reasons import CancelReason
from control.planning.intents import winning_intent
from control.planning.models import AppLine, AssignedIntent, Demand, DeviceSituation, Fleet, KnownJob, Plan, Way
from control.planning.plan import plan
from control.planning.targets import required_devices
from control.targeting import Mode, TimeBasis

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REQUIRED = AssignedIntent("a1", "g1", Intent.REQUIRED)
ZONES_APART = timedelta(hours=9)


def fleet(*assignments: AssignedIntent, job: KnownJob | None = None, revision: int = 1, **device: Any) -> Fleet:
    """One device in two groups, one app."""
    demand = Demand(NOW, {one: tuple(a for a in assignments if a.group_id == one) for one in ("g1", "g2")}, {})
    jobs = {} if job is None else {job.app_id: job}
    situation = {"device_id": "d1", "group_ids": ("g1", "g2"), "jobs": jobs, **device}
    return Fleet(replace(demand, apps={"a1": AppLine("One", revision, revision)}), (DeviceSituation(**situation),))


def known(state: JobState, **changes: Any) -> KnownJob:
    return KnownJob(
        **{"job_id": "j", "app_id": "a1", "revision": 1, "intent": Intent.REQUIRED, "state": state, **changes}
    )


def made(decided: Plan) -> list[tuple[int, Intent]]:
    return [(job.want.revision, job.want.intent) for job in decided.make]


@pytest.mark.behaviour("2.9 conflicts of intent")
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
    assert plan(fleet(replace(REQUIRED, intent=Intent.AVAILABLE))).make == ()


@pytest.mark.behaviour("2.8 exclusion")
@pytest.mark.parametrize("intent", [Intent.REQUIRED, Intent.UNINSTALL])
def test_exclusion_wins_over_every_intent_and_cancels_what_is_under_way(intent: Intent) -> None:
    excluding = AssignedIntent("a1", "g2", Intent.NOT_TARGETED, mode=Mode.EXCLUDE)
    wanted = replace(REQUIRED, intent=intent)
    assert made(plan(fleet(wanted))) == [(1, intent)]
    under_way = known(JobState.WAITING, intent=intent)
    decided = plan(fleet(wanted, excluding, job=under_way))
    assert (decided.make, decided.cancel) == ((), ("j",))


@pytest.mark.behaviour("2.8 assignment filter", "2.5 Applicability 1010")
@pytest.mark.parametrize(
    ("mode", "matching", "wanted"),
    [
        (Mode.INCLUDE, frozenset({"f"}), True),
        (Mode.INCLUDE, frozenset(), False),
        (Mode.EXCLUDE, frozenset({"f"}), False),
        (Mode.EXCLUDE, frozenset(), True),
    ],
)
def test_a_filter_includes_or_excludes_what_it_matches(mode: Mode, matching: frozenset[str], wanted: bool) -> None:
    filtered = replace(REQUIRED, filter_id="f", filter_mode=mode)
    assert bool(plan(fleet(filtered, matching_filters=matching)).make) is wanted


def test_a_filtered_exclusion_excludes_only_what_the_filter_lets_through() -> None:
    excluding = AssignedIntent("a1", "g2", Intent.NOT_TARGETED, mode=Mode.EXCLUDE, filter_id="f")
    assert plan(fleet(REQUIRED, excluding)).make
    assert not plan(fleet(REQUIRED, excluding, matching_filters=frozenset({"f"}))).make


@pytest.mark.behaviour("2.10 start time")
@pytest.mark.parametrize(("starts_in", "wanted"), [(timedelta(seconds=1), False), (timedelta(), True)])
def test_nothing_happens_before_the_start_time(starts_in: timedelta, wanted: bool) -> None:
    assert bool(plan(fleet(replace(REQUIRED, start_at=NOW + starts_in))).make) is wanted


@pytest.mark.behaviour("2.10 local time")
@pytest.mark.parametrize(
    ("zone", "wanted"), [("Asia/Tokyo", True), ("UTC", False), ("no/zone", False), ("../etc/passwd", False)]
)
def test_a_local_start_time_is_the_reading_of_the_clock_on_the_devices_own_wall(zone: str, wanted: bool) -> None:
    local = replace(REQUIRED, start_at=NOW + ZONES_APART, time_basis=TimeBasis.LOCAL)
    assert bool(plan(fleet(local, time_zone=zone)).make) is wanted


def test_of_several_assignments_the_most_urgent_decides_how_the_app_is_delivered() -> None:
    later = replace(REQUIRED, assignment_id="1", deadline_at=NOW + timedelta(days=2), way=Way("later"))
    sooner = replace(REQUIRED, group_id="g2", assignment_id="2", deadline_at=NOW + timedelta(days=1), way=Way("sooner"))
    at_once = replace(REQUIRED, assignment_id="3", way=Way("at once"))
    (job,) = plan(fleet(later, sooner)).make
    assert job.want.settings_digest == "sooner"
    (job,) = plan(fleet(later, sooner, at_once)).make
    assert job.want.settings_digest == "at once"


def test_other_settings_reach_a_job_that_is_under_way_and_leave_one_that_is_over_alone() -> None:
    changed = replace(REQUIRED, way=Way("other"))
    (adjusted,) = plan(fleet(changed, job=known(JobState.WAITING))).adjust
    assert (adjusted.job_id, adjusted.want.settings_digest) == ("j", "other")
    decided = plan(fleet(changed, job=known(JobState.FINISHED)))
    assert decided == Plan()


@pytest.mark.parametrize("state", [state for state in JobState if state is not JobState.CANCELLED])
def test_a_job_for_what_is_wanted_is_left_alone(state: JobState) -> None:
    decided = plan(fleet(REQUIRED, job=known(state)))
    assert (decided.make, decided.cancel, decided.recall) == ((), (), ())


def test_a_new_revision_takes_the_place_of_a_job_under_way() -> None:
    decided = plan(fleet(REQUIRED, revision=2, job=known(JobState.WAITING)))
    assert decided.cancel == ("j",)
    assert [(job.want.revision, job.reason) for job in decided.make] == [(2, GenerationReason.REVISION)]


def test_a_device_lets_go_of_what_it_is_running_before_it_gets_something_else_for_the_app() -> None:
    decided = plan(fleet(REQUIRED, revision=2, job=known(JobState.RUNNING)))
    assert (decided.recall, decided.cancel, decided.make) == (("j",), (), ())
    let_go = known(JobState.CANCELLED, cancel_reason=CancelReason.SUPERSEDED)
    assert made(plan(fleet(REQUIRED, revision=2, job=let_go))) == [(2, Intent.REQUIRED)]


def test_a_retired_device_is_not_waited_for() -> None:
    decided = plan(fleet(REQUIRED, job=known(JobState.RUNNING), is_enrolled=False))
    assert (decided.recall, decided.cancel, decided.make) == ((), ("j",), ())


def test_what_an_operator_cancelled_is_not_made_again_while_the_same_is_wanted() -> None:
    job = known(JobState.CANCELLED, cancel_reason=CancelReason.OPERATOR, seen_since=True)
    assert plan(fleet(REQUIRED, job=job)) == Plan()
    assert made(plan(fleet(REQUIRED, revision=2, job=job))) == [(2, Intent.REQUIRED)]
    assert plan(fleet(job=job)).release == ("j",)


def test_what_expired_is_made_again_when_its_device_is_seen() -> None:
    job = known(JobState.CANCELLED, cancel_reason=CancelReason.EXPIRED)
    assert plan(fleet(REQUIRED, job=job)).make == ()
    (new,) = plan(fleet(REQUIRED, job=replace(job, seen_since=True))).make
    assert new.reason is GenerationReason.RESTORED


def test_a_new_revision_is_a_new_job_where_the_old_one_is_over() -> None:
    decided = plan(fleet(REQUIRED, revision=2, job=known(JobState.FINISHED)))
    assert (decided.cancel, made(decided)) == ((), [(2, Intent.REQUIRED)])


def test_what_nobody_wants_any_more_is_cancelled() -> None:
    assert plan(fleet(job=known(JobState.WAITING))).cancel == ("j",)


def test_what_was_cancelled_and_is_wanted_again_is_made_again() -> None:
    assert len(plan(fleet(REQUIRED, job=known(JobState.CANCELLED))).make) == 1


def test_a_device_never_goes_back_to_a_smaller_revision_than_it_may_have_seen() -> None:
    assert plan(fleet(REQUIRED, revision=1, job=known(JobState.FINISHED, revision=3))) == Plan()
    uninstall = replace(REQUIRED, intent=Intent.UNINSTALL)
    assert made(plan(fleet(uninstall, revision=1, job=known(JobState.FINISHED, revision=3)))) == [(3, Intent.UNINSTALL)]
    never_sent = known(JobState.PLANNED, revision=3, was_sent=False)
    assert made(plan(fleet(REQUIRED, revision=1, job=never_sent))) == [(1, Intent.REQUIRED)]


def test_a_rollout_holds_a_device_at_its_revision_or_at_none() -> None:
    assert made(plan(fleet(REQUIRED, revision=5, holds={"a1": 4}))) == [(4, Intent.REQUIRED)]
    assert plan(fleet(REQUIRED, revision=5, holds={"a1": None})).make == ()
    assert made(plan(fleet(REQUIRED, revision=5, holds={"other": None}))) == [(5, Intent.REQUIRED)]


def test_required_devices_are_those_that_assignments_require_the_app_on() -> None:
    assert required_devices(fleet(REQUIRED, holds={"a1": None}), "a1") == {"d1"}
    assert required_devices(fleet(REQUIRED, is_enrolled=False), "a1") == frozenset()
    assert required_devices(fleet(replace(REQUIRED, intent=Intent.UNINSTALL)), "a1") == frozenset()
