import threading

import pytest

from worker.housekeeping.duty import NEVER
from worker.housekeeping.thread import HousekeepingThread

WAIT_SECONDS = 10


class Counting:
    """A duty that counts its turns."""

    def __init__(self, wait: float = NEVER) -> None:
        self.turns = 0
        self.turned = threading.Event()
        self._wait = wait

    def turn(self) -> float:
        self.turns += 1
        self.turned.set()
        return self._wait


class Broken:
    """A duty with a defect."""

    def turn(self) -> float:
        raise ZeroDivisionError


def test_it_sleeps_until_something_is_due_or_wakes_it() -> None:
    duty = Counting()
    thread = HousekeepingThread([duty])
    thread.start()
    assert duty.turned.wait(WAIT_SECONDS)
    duty.turned.clear()
    assert not duty.turned.wait(0.2)
    thread.wake()
    assert duty.turned.wait(WAIT_SECONDS)
    thread.stop()


def test_it_turns_by_itself_when_something_is_due() -> None:
    duty = Counting(0.01)
    thread = HousekeepingThread([duty])
    thread.start()
    for _ in range(3):
        assert duty.turned.wait(WAIT_SECONDS)
        duty.turned.clear()
    thread.stop()


def test_a_defect_in_one_duty_does_not_keep_the_others_from_their_turn(caplog: pytest.LogCaptureFixture) -> None:
    duty = Counting()
    thread = HousekeepingThread([Broken(), duty])
    thread.start()
    assert duty.turned.wait(WAIT_SECONDS)
    thread.stop()
    assert duty.turns >= 1


def test_stopping_gives_each_duty_a_last_turn() -> None:
    duty = Counting()
    thread = HousekeepingThread([duty])
    thread.start()
    assert duty.turned.wait(WAIT_SECONDS)
    before = duty.turns
    thread.stop()
    assert duty.turns > before
    assert "housekeeping" not in {running.name for running in threading.enumerate()}
