"""Events behind a real server: each change is told, and a reader that comes again misses nothing."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from contract.errors import UnavailableError
from contract.jobs import JobRef
from control.api import event_stream, operator_events
from control.api.app import create_app
from control.cli.following import summaries
from control.client.control_client import ControlClient
from control.database.tables import Role
from control.views.job_selection import JobQuery
from deploy.local.polling import wait_until
from tests.control.plane import Plane, SignedDevice, progress_of, report_of
from tests.support.served import served

pytestmark = pytest.mark.integration

Headers = Callable[[Role], dict[str, str]]
SECONDS = 20


@pytest.fixture
def server(plane: Plane) -> Iterator[str]:
    """The address of the API, served by uvicorn in a thread of this process."""
    with served(create_app(plane.services), graceful_seconds=1) as address:
        yield address


@pytest.fixture
def reader(server: str, operator: Headers) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server, headers=operator(Role.VIEWER), timeout=SECONDS) as client:
        yield client


@contextmanager
def stream(reader: httpx.Client, **options: Any) -> Iterator[Iterator[str]]:
    """The lines of a stream that has begun."""
    with reader.stream("GET", "/v1/events", **options) as response:
        assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        lines = response.iter_lines()
        assert next(lines).startswith(":")
        yield lines


def next_event(lines: Iterator[str]) -> tuple[str, str]:
    """The id and the data of the next event."""
    found = {}
    for line in lines:
        name, _, value = line.partition(": ")
        found[name] = value
        if not line and "data" in found:
            return found["id"], found["data"]
    raise AssertionError("the stream has ended")


def test_a_change_is_told_within_seconds(reader: httpx.Client, sent: tuple[SignedDevice, JobRef]) -> None:
    device, ref = sent
    with stream(reader) as lines:
        device.progress(progress_of(ref))
        begun = time.monotonic()
        _, data = next_event(lines)
    assert '"state":"running"' in data
    assert time.monotonic() - begun < SECONDS / 2


def test_a_reader_that_comes_again_misses_nothing(reader: httpx.Client, sent: tuple[SignedDevice, JobRef]) -> None:
    device, ref = sent
    with stream(reader) as lines:
        device.progress(progress_of(ref))
        cursor, _ = next_event(lines)
    device.report(report_of(ref, device.device_id))
    with stream(reader, headers={"Last-Event-ID": cursor}) as lines:
        _, data = next_event(lines)
    assert '"outcome":"installed"' in data


def test_what_is_not_asked_for_is_not_told(
    plane: Plane, reader: httpx.Client, sent: tuple[SignedDevice, JobRef], enrolled: Callable[..., SignedDevice]
) -> None:
    device, ref = sent
    other = enrolled("desk-2", plane.group("desks"))
    plane.plan()
    ((_, other_ref),) = plane.dispatch()
    with stream(reader, params={"device": "desk-2"}) as lines:
        device.progress(progress_of(ref))
        other.progress(progress_of(other_ref))
        assert '"device":"desk-2"' in next_event(lines)[1]


def test_a_stream_without_changes_shows_that_it_is_there_and_ends(
    reader: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator_events, "_SILENT_LOOKS", 1)
    monkeypatch.setattr(operator_events, "_LOOKS", 3)
    monkeypatch.setattr(operator_events, "_INTERVAL_SECONDS", 0.01)
    with stream(reader) as lines:
        rest = list(lines)
    assert ": still here" in rest


def test_more_readers_than_a_process_serves_are_told_so(reader: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operator_events, "MOST_STREAMS", 1)
    with stream(reader):
        response = reader.get("/v1/events")
    assert (response.status_code, response.json()["code"]) == (503, "api-overloaded")
    # The server may hear a moment later that the first reader has gone.
    assert wait_until(lambda: opens(reader) == 200, seconds=SECONDS)


def test_a_reader_that_takes_nothing_is_cut_and_makes_room_for_another(
    reader: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator_events, "MOST_STREAMS", 1)
    monkeypatch.setattr(operator_events, "_SILENT_LOOKS", 1)
    monkeypatch.setattr(operator_events, "_INTERVAL_SECONDS", 0.01)
    monkeypatch.setattr(event_stream, "_PATIENCE_SECONDS", 4)
    # More than all buffers on the way to a reader hold.
    monkeypatch.setattr(operator_events, "sign_of_life", lambda: f": {'x' * 32 * 1024 * 1024}\n\n")
    with socket.create_connection((reader.base_url.host, reader.base_url.port)) as silent:
        token = reader.headers["Authorization"]
        silent.sendall(f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode())
        assert silent.recv(12) == b"HTTP/1.1 200"
        assert opens(reader) == 503
        assert wait_until(lambda: opens(reader) == 200, seconds=SECONDS)


def opens(reader: httpx.Client) -> int:
    """The status of a stream that is left at once."""
    with reader.stream("GET", "/v1/events") as response:
        return response.status_code


def test_a_cursor_that_is_none_is_refused(reader: httpx.Client) -> None:
    response = reader.get("/v1/events", headers={"Last-Event-ID": "nonsense"})
    assert (response.status_code, response.json()["code"]) == (422, "cursor-invalid")


@pytest.fixture
def control(server: str, operator: Headers) -> Iterator[ControlClient]:
    token = operator(Role.VIEWER)["Authorization"].removeprefix("Bearer ")
    with ControlClient(server, token) as client:
        yield client


def test_who_follows_hears_of_a_change_long_before_the_deadline(
    control: ControlClient, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = sent
    begun = time.monotonic()
    told = summaries(control, JobQuery(), deadline=begun + 60)
    assert next(told).under_way == 1
    threading.Timer(1, lambda: device.report(report_of(ref, device.device_id))).start()
    assert next(summary for summary in told if summary.done).is_settled
    assert time.monotonic() - begun < SECONDS


def test_who_follows_without_events_asks_at_intervals(
    control: ControlClient, sent: tuple[SignedDevice, JobRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    device, ref = sent
    monkeypatch.setattr(operator_events, "MOST_STREAMS", 0)
    with pytest.raises(UnavailableError):
        list(control.job_events(JobQuery()))
    told = summaries(control, JobQuery(), deadline=time.monotonic() + 60)
    next(told)
    device.report(report_of(ref, device.device_id))
    assert next(summary for summary in told if summary.done).is_settled


def test_the_last_question_is_asked_at_the_deadline(control: ControlClient) -> None:
    begun = time.monotonic()
    assert len(list(summaries(control, JobQuery(), deadline=begun + 2))) >= 2
    assert timedelta(seconds=2) <= timedelta(seconds=time.monotonic() - begun) < timedelta(seconds=SECONDS)
