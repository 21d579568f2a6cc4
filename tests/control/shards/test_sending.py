"""Each shard for itself: sending, calling, looking for what was lost, and the metrics of it."""

from datetime import timedelta

import pytest

from contract.errors import UnavailableError
from contract.jobs import JobState
from control.database.tables import Device, Job
from control.shards.hashing import shard_of
from control.shards.inspection import ShardedInspector
from control.shards.metrics import shard_metrics
from control.steering.calls import ask_for_calls
from control.work import call_now, dispatch_now
from tests.control.plane import RecordingCaller, RecordingInspector, RecordingPublisher
from tests.control.shards.conftest import NAMES, Sharded


@pytest.fixture
def devices(sharded: Sharded) -> list[str]:
    """Devices that the app is due on, some at each shard."""
    plane = sharded.plane
    plane.publish()
    enrolled = sharded.fleet(plane.group("desks"))
    plane.assign("desks")
    plane.plan()
    return enrolled


def of(shard: str, devices: list[str]) -> set[str]:
    return {device_id for device_id in devices if shard_of(device_id, NAMES) == shard}


def test_every_job_goes_to_its_devices_shard(sharded: Sharded, devices: list[str]) -> None:
    publishers = {name: RecordingPublisher() for name in NAMES}
    dispatch_now(sharded.plane.services, publishers)
    for name in NAMES:
        assert {device_id for device_id, _ in publishers[name].sent} == of(name, devices)


def test_a_worker_of_one_shard_sends_only_what_is_its_own(sharded: Sharded, devices: list[str]) -> None:
    two = RecordingPublisher()
    dispatch_now(sharded.plane.services, {"two": two})
    assert {device_id for device_id, _ in two.sent} == of("two", devices)
    dispatch_now(sharded.plane.services, {"two": two})
    assert len(two.sent) == len(of("two", devices))


def test_a_shard_that_is_down_delays_only_its_devices_and_uses_up_nobodys_turn(
    sharded: Sharded, devices: list[str]
) -> None:
    settings = sharded.plane.services.settings.model_copy(
        update={"dispatch_burst": len(devices), "dispatch_per_second": 0.001}
    )
    sharded.limit(settings)
    publishers = {name: RecordingPublisher(capacity=0 if name == "two" else None) for name in NAMES}
    for _ in range(3):
        with pytest.raises(UnavailableError):
            dispatch_now(sharded.plane.services, publishers)
    sent = {device_id for publisher in publishers.values() for device_id, _ in publisher.sent}
    assert sent == {*devices} - of("two", devices)
    publishers["two"].capacity = None
    dispatch_now(sharded.plane.services, publishers)
    assert {device_id for device_id, _ in publishers["two"].sent} == of("two", devices)


def test_devices_are_called_where_they_listen_and_a_shard_that_is_down_keeps_no_other_waiting(
    sharded: Sharded, devices: list[str]
) -> None:
    services = sharded.plane.services
    with services.database.transaction() as session:
        rows = [session.get_one(Device, device_id) for device_id in devices]
        ask_for_calls(session, rows, sharded.plane.clock.now())
    callers = {name: RecordingCaller(down=name == "first") for name in NAMES}
    with pytest.raises(UnavailableError):
        call_now(services, callers)
    assert [{*callers[name].called} for name in NAMES] == [set(), of("two", devices), of("three", devices)]
    callers["first"].down = False
    call_now(services, callers)
    assert {*callers["first"].called} == of("first", devices)


def test_nothing_counts_as_lost_that_another_shard_may_have(sharded: Sharded) -> None:
    moving, settled = sharded.at("first"), sharded.at("two", home="two")
    sharded.begin(moving)
    inspectors = {name: RecordingInspector(emptied={moving, settled}) for name in NAMES}
    inspector = ShardedInspector(sharded.plane.services.database, inspectors)
    both = {moving, settled}
    assert inspector.without_messages(both) == both
    inspectors["first"].emptied = {settled}
    assert inspector.without_messages(both) == {settled}, "what it has not brought along yet is still at the old one"
    inspectors["first"].emptied, inspectors["first"].down = both, True
    assert inspector.without_messages(both) == {settled}
    sharded.says(moving, sharded.url("two"))
    inspectors["first"].down, inspectors["first"].emptied = False, set()
    assert inspector.without_messages({moving}) == frozenset()


def test_the_metrics_tell_where_devices_are_and_which_shard_lags(sharded: Sharded, devices: list[str]) -> None:
    services, now = sharded.plane.services, sharded.plane.clock.now() + timedelta(seconds=90)
    dispatch_now(services, {name: RecordingPublisher() for name in ("first", "three")})
    with services.database.snapshot() as session:
        found = {
            (one.name, *one.labels.values()): one.value
            for metric in shard_metrics(session, NAMES, now)
            for one in metric.samples
        }
        assert list(shard_metrics(session, ["first"], now)) == [], "with one broker nobody asks"
    for name in NAMES:
        assert found["outrider_shard_devices", name, "here"] == len(of(name, devices))
        assert found["outrider_shard_devices", name, "coming"] == 0
    assert found["outrider_shard_outbox_age_seconds", "two"] >= 90
    assert found["outrider_shard_outbox_age_seconds", "first"] == 0


def test_what_is_sent_to_a_device_on_its_way_goes_to_where_it_still_listens(
    sharded: Sharded, devices: list[str]
) -> None:
    moving = min(of("two", devices))
    with sharded.plane.services.database.transaction() as session:
        session.get_one(Device, moving).broker_shard = "first"
    sharded.begin(moving)
    publishers = {name: RecordingPublisher() for name in NAMES}
    dispatch_now(sharded.plane.services, publishers)
    assert moving in {device_id for device_id, _ in publishers["first"].sent}
    with sharded.plane.services.database.snapshot() as session:
        states = {job.state for job in session.query(Job).filter(Job.device_id == moving)}
    assert states == {JobState.SENT}
