"""Random fleets, relations, holds and histories: whatever happens, plans keep their promises and come to rest."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.available_apps import AppRequestKind
from contract.jobs import JobState
from contract.states import Intent, Outcome
from control.cancel_reasons import CancelReason
from control.planning.intents import INSTALLING
from control.planning.models import AssignedIntent, Plan, Relation, Request, Want
from control.relation_mode import RelationMode
from control.targeting import Mode
from tests.control.planning.simulated_fleet import (
    APPS,
    DEVICES,
    GROUPS,
    LIVE,
    NOW,
    SOON,
    UNDER_WAY,
    Place,
    SimulatedFleet,
    replaced_below,
)

#: Rounds of planning and carrying out after which every fleet has come to rest: the longest chain of related apps has
#: as many stages.
ROUNDS: Final = 6 * len(APPS)

INSTALLED: Final = frozenset({Outcome.INSTALLED, Outcome.ALREADY_INSTALLED})

#: Most fleets have all devices in all groups: little is found out with devices that nothing reaches.
EVERYBODY: Final = frozenset((device, group) for device in DEVICES for group in GROUPS)

devices = st.sampled_from(DEVICES)
apps = st.sampled_from(APPS)
places = st.tuples(devices, apps)
intents = st.sampled_from([*[Intent.REQUIRED] * 4, Intent.UNINSTALL, *[Intent.AVAILABLE] * 2])
kinds = st.sampled_from([AppRequestKind.INSTALL, AppRequestKind.INSTALL, AppRequestKind.UNINSTALL])
assignments = st.builds(
    AssignedIntent,
    app_id=apps,
    group_id=st.sampled_from(GROUPS),
    intent=intents,
    mode=st.sampled_from([Mode.INCLUDE, Mode.INCLUDE, Mode.INCLUDE, Mode.EXCLUDE]),
    filter_id=st.sampled_from([None, None, None, "f0"]),
    filter_mode=st.sampled_from(Mode),
    start_at=st.sampled_from([None, None, None, NOW + SOON]),
)


@st.composite
def related(draw: st.DrawFn) -> dict[str, tuple[Relation, ...]]:
    """Relations without circles: an app is related to apps with smaller numbers only, as publishing would have it."""
    relations: dict[str, tuple[Relation, ...]] = {}
    for index, app in enumerate(APPS):
        others = draw(st.lists(st.sampled_from(APPS[:index]), unique=True, max_size=2)) if index else []
        relations[app] = tuple(Relation(other, draw(st.sampled_from(RelationMode))) for other in others)
    return relations


fleets = st.builds(
    SimulatedFleet,
    assignments=st.lists(assignments, max_size=6),
    memberships=st.just(EVERYBODY) | st.sets(st.tuples(devices, st.sampled_from(GROUPS)), min_size=1),
    filters=st.sets(st.tuples(devices, st.just("f0"))),
    relations=related(),
    holds=st.dictionaries(places, st.none() | st.integers(1, 3), max_size=2),
    installed=st.sets(places, max_size=3),
    inapplicable=st.sets(places, max_size=2),
    failing=st.sets(places, max_size=2),
    requests=st.dictionaries(places, st.builds(Request, kinds, st.just(NOW)), max_size=4),
)

Step = Callable[[SimulatedFleet], None]


def publish(app: str, fleet: SimulatedFleet) -> None:
    fleet.revisions[app] += 1


def go_back(app: str, fleet: SimulatedFleet) -> None:
    fleet.revisions[app] = 1


def assign(assignment: AssignedIntent, fleet: SimulatedFleet) -> None:
    fleet.assignments.append(assignment)


def unassign(index: int, fleet: SimulatedFleet) -> None:
    if fleet.assignments:
        del fleet.assignments[index % len(fleet.assignments)]


def hold(place: Place, revision: int | None, fleet: SimulatedFleet) -> None:
    fleet.holds[place] = revision


def lift(place: Place, fleet: SimulatedFleet) -> None:
    fleet.holds.pop(place, None)


def pass_time(fleet: SimulatedFleet) -> None:
    fleet.now += SOON


def heal(fleet: SimulatedFleet) -> None:
    fleet.failing.clear()


def retire(device: str, fleet: SimulatedFleet) -> None:
    fleet.retired.add(device)


def ask(place: Place, kind: AppRequestKind, fleet: SimulatedFleet) -> None:
    fleet.requests[place] = Request(kind, fleet.now)


def cancel(place: Place, fleet: SimulatedFleet) -> None:
    job = fleet.jobs.get(place)
    if job is not None and job.state in UNDER_WAY | {JobState.HELD}:
        ended = JobState.CANCELLING if job.state is JobState.RUNNING else JobState.CANCELLED
        fleet.jobs[place] = replace(job, state=ended, cancel_reason=CancelReason.OPERATOR)


def move(place: Place, fleet: SimulatedFleet) -> None:
    fleet.move(place)


def begin_all(fleet: SimulatedFleet) -> None:
    for place, job in fleet.jobs.items():
        if job.state is JobState.PLANNED:
            fleet.move(place)


steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(partial, st.just(move), places),
    st.builds(partial, st.just(move), places),
    st.just(SimulatedFleet.move_all),
    st.just(begin_all),
    st.just(begin_all),
    st.builds(partial, st.just(publish), apps),
    st.builds(partial, st.just(go_back), apps),
    st.builds(partial, st.just(assign), assignments),
    st.builds(partial, st.just(unassign), st.integers(0, 5)),
    st.builds(partial, st.just(hold), places, st.none() | st.integers(1, 3)),
    st.builds(partial, st.just(lift), places),
    st.just(pass_time),
    st.just(heal),
    st.builds(partial, st.just(retire), devices),
    st.builds(partial, st.just(cancel), places),
    st.builds(partial, st.just(ask), places, kinds),
    st.builds(partial, st.just(ask), places, kinds),
)
histories = st.lists(steps, max_size=12)


def planned(fleet: SimulatedFleet) -> Plan:
    """Plan, and check everything that must hold of what is set going."""
    live_before = {place: job for place, job in fleet.jobs.items() if job.state in LIVE}
    newest_seen = {place: job.revision for place, job in fleet.jobs.items() if job.was_sent}
    decided = fleet.plan()
    made = [((new.device_id, new.want.app_id), new.want) for new in decided.make]
    places = [place for place, _ in made]
    assert len(places) == len(set(places)), "two jobs for one device and app"
    for place in places:
        before = live_before.get(place)
        assert before is None or before.job_id in decided.cancel, "a new job beside a live one"
    advanced = [(fleet.place_of(changed.job_id), changed.want) for changed in decided.advance]
    for place, before in live_before.items():
        is_running = before.state is JobState.RUNNING and place[0] not in fleet.retired
        assert not (is_running and before.job_id in decided.cancel), "cancelled while its device works on it"
    looked = [(fleet.place_of(job_id), None) for job_id in decided.look_again]
    for place, want in (*made, *advanced, *looked):
        check_may_act(fleet, place)
        if want is not None:
            check_want(fleet, place, want, newest_seen.get(place, 0))
    return decided


def check_may_act(fleet: SimulatedFleet, place: Place) -> None:
    assert not fleet.excluded(place), "it acts on an excluded device"
    assert place[0] not in fleet.retired, "it acts on a retired device"


def check_want(fleet: SimulatedFleet, place: Place, want: Want, newest_seen: int) -> None:
    device, app = place
    chosen = fleet.holds.get(place, fleet.revisions[app]) or 0
    assert want.revision == max(chosen, newest_seen), "another revision than held or deployed, or a smaller one"
    if want.intent is not Intent.UNINSTALL:
        assert not is_superseded(fleet, place), "installed although another app takes its place"
    if want.for_app_id is None:
        assert want.intent is fleet.wanted_by_assignment(place), "not what assignments want now"
    else:
        top = (device, want.for_app_id)
        assert fleet.jobs[top].state is not JobState.CANCELLED, "for an app that nobody wants"
        assert is_related(fleet, device, want.for_app_id, app)
    if want.intent is not Intent.UNINSTALL and not want.evaluates_only:
        check_goes_first(fleet, place, assigned=want.for_app_id is None)


def is_superseded(fleet: SimulatedFleet, place: Place) -> bool:
    """Whether an app that is to be installed, and may be for the device, takes its place directly."""
    device, app = place
    return any(
        relation.app_id == app and not relation.mode.is_dependency and is_in_force(fleet, (device, top))
        for top, relations in fleet.relations.items()
        for relation in relations
    )


def is_in_force(fleet: SimulatedFleet, place: Place) -> bool:
    job = fleet.jobs.get(place)
    is_deployed = fleet.holds.get(place, fleet.revisions[place[1]]) == fleet.revisions[place[1]]
    is_newest = job is None or job.revision <= fleet.revisions[place[1]]
    wanted = fleet.wanted_by_assignment(place) in INSTALLING
    return wanted and is_deployed and is_newest and place not in fleet.inapplicable


def is_related(fleet: SimulatedFleet, device: str, app: str, other: str) -> bool:
    named = {relation.app_id for relation in fleet.relations.get(app, ()) if relation.mode.is_dependency}
    return other in named | replaced_below(fleet, device, app)


def check_goes_first(fleet: SimulatedFleet, place: Place, *, assigned: bool) -> None:
    device, app = place
    if (app, fleet.jobs[place].revision) not in fleet.fleet().demand.relations:
        return
    for relation in fleet.relations.get(app, ()):
        if relation.mode.is_dependency:
            assert (device, relation.app_id) in fleet.installed, f"{app} before {relation.app_id}, which it depends on"
    for other in replaced_below(fleet, device, app) if assigned else ():
        assert (device, other) not in fleet.installed, f"{app} while {other}, which it replaces, is there"


def come_to_rest(fleet: SimulatedFleet) -> None:
    for _ in range(ROUNDS):
        if planned(fleet) == Plan() and not any(can_move(fleet, place) for place in fleet.jobs):
            return
        fleet.move_all()
    raise AssertionError(f"no rest after {ROUNDS} rounds: {fleet.jobs}")


def can_move(fleet: SimulatedFleet, place: Place) -> bool:
    job = fleet.jobs[place]
    return job.state in LIVE - {JobState.HELD} and not (job.state is JobState.WAITING and place in fleet.failing)


@settings(deadline=None)
@given(fleets, histories)
def test_whatever_happens_plans_keep_their_promises_and_planning_twice_changes_nothing(
    fleet: SimulatedFleet, history: list[Step]
) -> None:
    for step in history:
        planned(fleet)
        assert planned(fleet) == Plan()
        step(fleet)
    come_to_rest(fleet)


@settings(deadline=None)
@given(fleets, histories)
def test_what_nothing_stands_in_the_way_of_is_as_wanted_in_the_end(fleet: SimulatedFleet, history: list[Step]) -> None:
    for step in history:
        planned(fleet)
        step(fleet)
    heal(fleet)
    come_to_rest(fleet)
    for place in ((device, app) for device in DEVICES for app in APPS):
        check_end(fleet, place)


def check_end(fleet: SimulatedFleet, place: Place) -> None:
    app = place[1]
    wanted, job = fleet.wanted_by_assignment(place), fleet.jobs.get(place)
    is_stood_apart = any(app in {one.app_id for one in related} for related in fleet.relations.values())
    if wanted is Intent.NOT_TARGETED:
        assert job is None or job.state not in UNDER_WAY or is_stood_apart, "under way although nobody wants it"
    if fleet.relations.get(app) or is_stood_apart or wanted is Intent.NOT_TARGETED:
        return
    if job is not None and job.cancel_reason is CancelReason.OPERATOR:
        return
    if not (fleet.holds.get(place, fleet.revisions[app]) or (job is not None and job.was_sent)):
        return
    if wanted is Intent.UNINSTALL:
        assert place not in fleet.installed
    elif place not in fleet.inapplicable:
        assert place in fleet.installed
    assert job is not None
    assert job.state is JobState.FINISHED


@settings(deadline=None)
@given(fleets)
def test_a_chain_of_apps_gets_there_in_the_end(fleet: SimulatedFleet) -> None:
    """Nothing fails, everything applies, nothing is held: then what is required or was asked for is there."""
    fleet.failing.clear()
    fleet.inapplicable.clear()
    fleet.holds.clear()
    fleet.assignments = [one for one in fleet.assignments if one.mode is Mode.INCLUDE]
    fleet.relations = {
        app: tuple(replace(one, mode=RelationMode.AUTO_INSTALL) for one in related)
        for app, related in fleet.relations.items()
    }
    come_to_rest(fleet)
    for place in ((device, app) for device in DEVICES for app in APPS):
        if fleet.wanted_by_assignment(place) in INSTALLING:
            assert place in fleet.installed
            assert all((place[0], one.app_id) in fleet.installed for one in fleet.relations[place[1]])


@pytest.mark.behaviour("2.9 dependency graph")
@settings(deadline=None)
@given(fleets, st.lists(st.tuples(apps, apps, st.sampled_from(RelationMode)), max_size=6))
def test_circles_that_got_past_publishing_do_no_harm(
    fleet: SimulatedFleet, more: list[tuple[str, str, RelationMode]]
) -> None:
    for app, other, mode in more:
        if other not in {app, *(one.app_id for one in fleet.relations[app])}:
            fleet.relations[app] = (*fleet.relations[app], Relation(other, mode))
    come_to_rest(fleet)


def test_looking_again_comes_to_rest_until_time_has_passed() -> None:
    fleet = SimulatedFleet(
        assignments=[AssignedIntent("a1", "g0", Intent.REQUIRED)],
        memberships={("d0", "g0")},
        relations={"a1": (Relation("a0", RelationMode.DETECT_ONLY),)},
    )
    come_to_rest(fleet)
    assert fleet.jobs["d0", "a1"].state is JobState.HELD
    fleet.now += timedelta(minutes=59)
    assert planned(fleet) == Plan()
    fleet.now += timedelta(minutes=1)
    assert len(planned(fleet).look_again) == 1
    fleet.installed.add(("d0", "a0"))
    come_to_rest(fleet)
    assert ("d0", "a1") in fleet.installed
