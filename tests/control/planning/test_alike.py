"""Deciding once for devices that are alike decides the same as deciding for each."""

from dataclasses import fields, replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from contract.available_apps import AppRequestKind
from contract.jobs import JobState
from contract.states import EnforcementState, Intent, Outcome
from control.cancel_reasons import CancelReason
from control.planning.models import (
    AppLine,
    AssignedIntent,
    Demand,
    DeviceSituation,
    Fleet,
    KnownJob,
    Plan,
    Relation,
    Request,
)
from control.planning.plan import plan
from control.relation_mode import RelationMode
from tests.control.planning.simulated_fleet import NOW

APPS = ("a0", "a1", "a2")

DEMAND = Demand(
    now=NOW,
    assignments={
        "g0": (AssignedIntent("a0", "g0", Intent.REQUIRED), AssignedIntent("a1", "g0", Intent.AVAILABLE)),
        "g1": (AssignedIntent("a0", "g1", Intent.UNINSTALL), AssignedIntent("a2", "g1", Intent.REQUIRED)),
    },
    apps={app: AppLine(app, 2, 2) for app in APPS},
    relations={("a2", 2): (Relation("a1", RelationMode.AUTO_INSTALL),)},
)

_JOBS = st.builds(
    KnownJob,
    job_id=st.just(""),
    app_id=st.just(""),
    revision=st.sampled_from([1, 2]),
    intent=st.sampled_from([Intent.REQUIRED, Intent.UNINSTALL]),
    state=st.sampled_from(JobState),
    cancel_reason=st.sampled_from([None, CancelReason.OPERATOR, CancelReason.EXPIRED]),
    seen_since=st.booleans(),
    was_sent=st.booleans(),
    outcome=st.sampled_from([None, Outcome.INSTALLED, Outcome.EVALUATED, Outcome.FAILED]),
    evaluates_only=st.booleans(),
    enforcement_state=st.sampled_from([None, EnforcementState.SUCCESS]),
    finished_at=st.sampled_from([None, NOW - timedelta(minutes=5), NOW - timedelta(hours=2)]),
)

_DEVICES = st.builds(
    DeviceSituation,
    device_id=st.just(""),
    is_enrolled=st.booleans(),
    group_ids=st.sampled_from([(), ("g0",), ("g0", "g1")]),
    jobs=st.dictionaries(st.sampled_from(APPS), _JOBS),
    holds=st.sampled_from([{}, {"a0": 1}, {"a0": None}]),
    requests=st.sampled_from([{}, {"a1": Request(AppRequestKind.INSTALL, NOW)}]),
)


def _named(number: int, device: DeviceSituation) -> DeviceSituation:
    jobs = {app: replace(job, job_id=f"{number}-{app}", app_id=app) for app, job in device.jobs.items()}
    return replace(device, device_id=f"d{number}", jobs=jobs)


@given(st.lists(_DEVICES, max_size=3))
def test_a_fleet_is_planned_as_its_devices_are_one_by_one(kinds: list[DeviceSituation]) -> None:
    devices = [_named(number, kind) for number, kind in enumerate([*kinds, *kinds])]
    each = [plan(Fleet(DEMAND, (device,))) for device in devices]
    together = plan(Fleet(DEMAND, tuple(devices)))
    for kind in fields(Plan):
        assert getattr(together, kind.name) == tuple(one for own in each for one in getattr(own, kind.name))
