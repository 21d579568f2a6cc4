"""A device that is called checks in at once, says why, and is not worn out by calls."""

from datetime import timedelta
from functools import partial
from random import Random

from contract.uplink import CheckInReason
from tests.worker.rig import Rig
from worker.housekeeping.check_in import CALL_INTERVAL_SECONDS, CheckInDuty, message_of


def _duty(rig: Rig) -> CheckInDuty:
    duty = CheckInDuty(rig.uplink, partial(message_of, rig.device), rig.clock, Random(1), interval_seconds=600)
    duty.turn()
    rig.clock.advance(timedelta(seconds=60))
    return duty


def _reasons(rig: Rig) -> list[CheckInReason]:
    return [check_in.reason for check_in in rig.uplink.check_ins]


def test_a_call_is_a_check_in_at_once(rig: Rig) -> None:
    duty = _duty(rig)
    duty.turn()
    assert len(_reasons(rig)) == 1
    duty.call()
    duty.turn()
    assert _reasons(rig) == [CheckInReason.AGENT_RESTART, CheckInReason.PUSH]


def test_after_a_call_the_next_one_comes_at_its_usual_time(rig: Rig) -> None:
    duty = _duty(rig)
    duty.call()
    wait = duty.turn()
    assert wait > 600
    rig.clock.advance(timedelta(seconds=wait))
    duty.turn()
    assert _reasons(rig)[-1] is CheckInReason.MAINTENANCE_TIMER


def test_calls_that_come_thick_and_fast_are_one_check_in_every_few_seconds(rig: Rig) -> None:
    duty = _duty(rig)
    for _ in range(100):
        duty.call()
        duty.turn()
        rig.clock.advance(timedelta(seconds=CALL_INTERVAL_SECONDS / 10))
    assert len(_reasons(rig)) in range(10, 13)
