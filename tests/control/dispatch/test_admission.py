"""Admission: a fleet is sent to bit by bit, whatever the number of dispatchers."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.dispatch.admission import Admission, refilled
from control.dispatch.outbox import dispatch_due
from tests.control.dispatch.fleets import add_fleet
from tests.control.plane import Plane, RecordingPublisher

DEVICES = 20
ADMISSION = Admission(per_second=2, burst=5)


@pytest.fixture
def due(either_plane: Plane) -> Plane:
    add_fleet(either_plane, DEVICES)
    either_plane.plan()
    return either_plane


def send(plane: Plane, publisher: RecordingPublisher | None = None) -> int:
    return dispatch_due(plane.services.database, publisher or plane.publisher, plane.clock, 1000, ADMISSION)


def test_a_burst_goes_out_at_once_and_the_rest_bit_by_bit(due: Plane) -> None:
    assert (send(due), send(due)) == (5, 0)
    due.clock.advance(timedelta(seconds=1))
    assert send(due) == 2
    due.clock.advance(timedelta(hours=1))
    assert send(due) == 5
    sent = [ref.job_id for _, ref in due.publisher.sent]
    assert len(sent) == len(set(sent)) == 12


def test_dispatchers_share_one_bucket(due: Plane) -> None:
    together = Barrier(4)
    publishers = [RecordingPublisher() for _ in range(4)]

    def dispatch(publisher: RecordingPublisher) -> None:
        together.wait(10)
        send(due, publisher)

    threads = [Thread(target=dispatch, args=(publisher,)) for publisher in publishers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent = [ref.job_id for publisher in publishers for _, ref in publisher.sent]
    assert len(sent) == len(set(sent)) == 5


@given(
    tokens=st.floats(0, 10),
    elapsed=st.floats(-1e6, 1e6),
    per_second=st.floats(0.01, 1000),
    burst=st.integers(10, 10_000),
)
def test_a_bucket_is_never_more_than_full_and_time_takes_nothing(
    tokens: float, elapsed: float, per_second: float, burst: int
) -> None:
    assert tokens <= refilled(tokens, elapsed, Admission(per_second, burst)) <= burst
