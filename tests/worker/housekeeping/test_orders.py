from datetime import timedelta
from uuid import uuid4

import pytest

from contract.jobs import JobRef
from contract.uplink import JobOrder, OrderKind
from tests.worker.rig import Rig
from worker.activity import Activity
from worker.housekeeping.duty import NEVER
from worker.housekeeping.orders import INTERVAL_SECONDS, OrdersDuty

REF = JobRef(job_id=str(uuid4()), generation=1, attempt=1)
ORDER = JobOrder(job_id=REF.job_id, generation=1, kind=OrderKind.CANCEL)


@pytest.fixture
def activity(rig: Rig) -> Activity:
    return Activity(rig.clock)


@pytest.fixture
def duty(rig: Rig, activity: Activity) -> OrdersDuty:
    rig.uplink.standing_orders = [ORDER]
    return OrdersDuty(rig.device, activity)


def _is_ordered(rig: Rig) -> bool:
    return rig.device.ledger.orders.cancels(REF)


def test_at_rest_nothing_is_asked(rig: Rig, duty: OrdersDuty) -> None:
    assert duty.turn() == NEVER
    assert not _is_ordered(rig)


def test_an_attempt_that_takes_its_time_is_asked_for_every_quarter_of_a_minute(
    rig: Rig, duty: OrdersDuty, activity: Activity
) -> None:
    with activity.working_on(REF):
        assert duty.turn() == INTERVAL_SECONDS == 15
        assert not _is_ordered(rig)
        rig.clock.advance(timedelta(seconds=15))
        assert duty.turn() == INTERVAL_SECONDS
        assert _is_ordered(rig)
        rig.clock.advance(timedelta(seconds=5))
        assert duty.turn() == 10
    assert duty.turn() == NEVER


def test_a_control_plane_that_does_not_answer_is_asked_again(rig: Rig, duty: OrdersDuty, activity: Activity) -> None:
    with activity.working_on(REF):
        rig.clock.advance(timedelta(seconds=15))
        rig.uplink.available = False
        assert duty.turn() == INTERVAL_SECONDS
        rig.uplink.available = True
        rig.clock.advance(timedelta(seconds=15))
        duty.turn()
    assert _is_ordered(rig)


def test_many_short_phases_of_one_attempt_count_as_one(rig: Rig, duty: OrdersDuty, activity: Activity) -> None:
    for _ in range(4):
        with activity.working_on(REF):
            rig.clock.advance(timedelta(seconds=4))
            duty.turn()
    assert _is_ordered(rig)
