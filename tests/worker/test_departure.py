"""An agent that is told to stop is gone in time, whatever it is at."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from uuid import uuid4

import pytest

from contract.clock import SystemClock
from contract.jobs import JobRef
from worker import departure
from worker.activity import Activity
from worker.departure import Departure

REF = JobRef(job_id=str(uuid4()), generation=1, attempt=1)
SECONDS = 10


@pytest.fixture
def activity() -> Activity:
    return Activity(SystemClock())


@pytest.fixture
def ends() -> SimpleQueue[int]:
    return SimpleQueue()


@pytest.fixture
def leaving(activity: Activity, ends: SimpleQueue[int]) -> Callable[[float], Departure]:
    def make(limit_seconds: float) -> Departure:
        return Departure(activity, SystemClock(), limit_seconds=limit_seconds, end=ends.put)

    return make


def test_the_phase_in_progress_has_its_time_and_not_more(
    activity: Activity, ends: SimpleQueue[int], leaving: Callable[[float], Departure]
) -> None:
    with activity.working_on(REF):
        leaving(2).ask()
        assert ends.empty()
        assert ends.get(timeout=SECONDS) == 0


def test_a_second_signal_ends_it_at_once(
    activity: Activity, ends: SimpleQueue[int], leaving: Callable[[float], Departure]
) -> None:
    with activity.working_on(REF):
        agent = leaving(3600)
        agent.ask()
        agent.ask()
        assert ends.get(timeout=SECONDS) == 0


def test_without_a_phase_in_progress_it_does_not_wait_for_the_limit(
    ends: SimpleQueue[int], leaving: Callable[[float], Departure], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(departure, "IDLE_LIMIT_SECONDS", 0.3)
    leaving(3600).ask()
    assert ends.get(timeout=SECONDS) == 0


def test_a_phase_that_ends_leaves_time_for_its_hand_over(
    activity: Activity,
    ends: SimpleQueue[int],
    leaving: Callable[[float], Departure],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(departure, "IDLE_LIMIT_SECONDS", 0.6)
    ended = threading.Event()
    with activity.working_on(REF):
        leaving(3600).ask()
        assert not ended.wait(1)
        assert ends.empty()
    assert ends.get(timeout=SECONDS) == 0


def test_one_that_is_called_off_lets_the_process_go_on(
    ends: SimpleQueue[int], leaving: Callable[[float], Departure], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(departure, "IDLE_LIMIT_SECONDS", 2)
    agent = leaving(3600)
    agent.ask()
    agent.call_off()
    with pytest.raises(Empty):
        ends.get(timeout=3)
