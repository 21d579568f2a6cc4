"""Work beside the main thread keeps its order, its bounds and its errors."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from storage.intunewin.lane import Lane
from storage.intunewin.windowed import windowed


def test_a_lane_takes_chunks_in_order_and_ends_with_the_last() -> None:
    taken: list[bytes] = []
    with Lane(taken.append) as lane:
        for number in range(50):
            lane.feed(bytes([number]))
    assert taken == [bytes([number]) for number in range(50)]


def test_what_a_lane_raises_is_raised_again() -> None:
    def refuse(_chunk: bytes) -> None:
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"), Lane(refuse) as lane:
        lane.feed(b"x")


def test_an_error_outside_ends_the_lane_without_waiting_for_what_is_queued() -> None:
    started = threading.Event()
    release = threading.Event()

    def slow(_chunk: bytes) -> None:
        started.set()
        release.wait(10)

    def fail() -> None:
        with Lane(slow) as lane:
            for _ in range(3):
                lane.feed(b"x")
            started.wait(10)
            release.set()
            raise RuntimeError("outside")

    before = set(threading.enumerate())
    with pytest.raises(RuntimeError, match="outside"):
        fail()
    assert set(threading.enumerate()) <= before


def test_results_come_in_the_order_of_the_tasks() -> None:
    def late(number: int) -> int:
        time.sleep(0.001 * (number % 3))
        return number

    with ThreadPoolExecutor(4) as executor:
        assert list(windowed(executor, (partial(late, number) for number in range(30)), width=8)) == list(range(30))


def test_no_more_tasks_than_the_width_run_ahead() -> None:
    begun: list[int] = []
    with ThreadPoolExecutor(1) as executor:
        results = windowed(executor, (partial(begun.append, number) for number in range(100)), width=5)
        next(results)
        executor.submit(lambda: None).result()
        assert len(begun) == 6
        results.close()  # type: ignore[attr-defined]  # it is a generator
