"""The device's end of the queue on a real broker, as the device's own broker user; the engine is a scripted one."""

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from contract.jobs import JobRef
from contract.phases import PHASES, Phase
from contract.queues import processing_list
from tests.support.broker import RunningBroker
from tests.worker.queue_end import Device, ScriptedEngine, enrolled_device
from worker.handover import Handover, NextChain

pytestmark = pytest.mark.integration


@pytest.fixture
def device(valkey: RunningBroker) -> Iterator[Device]:
    with enrolled_device(valkey) as device:
        yield device


def test_a_job_runs_its_eleven_phases_in_order_and_leaves_nothing_behind(device: Device) -> None:
    ref = device.send_job()
    engine = ScriptedEngine()
    with device.working(engine):
        assert engine.wait_for(11) == [(phase, ref) for phase in PHASES]
    assert device.lengths() == (0, 0)


def test_an_early_end_drops_the_links_between(device: Device) -> None:
    device.send_job()
    engine = ScriptedEngine(lambda phase, _: Handover(go_on_at=Phase.COMPLIANCE) if phase is Phase.DETECT else None)
    with device.working(engine):
        assert [phase.value for phase, _ in engine.wait_for(5)] == [
            "poll",
            "metadata",
            "detect",
            "compliance",
            "report",
        ]
    assert device.lengths() == (0, 0)


def test_a_void_message_ends_its_chain(device: Device) -> None:
    device.send_job()
    engine = ScriptedEngine(lambda phase, _: Handover() if phase is Phase.POLL else None)
    with device.working(engine):
        engine.wait_for(1)
    assert device.lengths() == (0, 0)
    assert engine.calls.empty()


def test_a_transient_fault_repeats_its_phase_alone_and_keeps_the_rest(device: Device) -> None:
    device.send_job()
    faults = iter([Handover(retry_in_seconds=0.2), Handover(retry_in_seconds=0.2)])
    engine = ScriptedEngine(lambda phase, _: next(faults, None) if phase is Phase.DOWNLOAD else None)
    with device.working(engine):
        phases = [phase for phase, _ in engine.wait_for(13)]
    assert phases == [*PHASES[:6], Phase.DOWNLOAD, Phase.DOWNLOAD, *PHASES[6:]]


def test_the_next_attempt_waits_its_countdown_in_the_devices_own_queue(device: Device) -> None:
    ref = device.send_job()
    moments: dict[tuple[Phase, int], float] = {}

    def script(phase: Phase, at: JobRef) -> Handover | None:
        moments[phase, at.attempt] = time.monotonic()
        is_first_end = phase is Phase.REPORT and at.attempt == 1
        return Handover(next_chain=NextChain(at.next_attempt(), 1.0)) if is_first_end else None

    engine = ScriptedEngine(script)
    with device.working(engine):
        engine.wait_for(11)
        assert [attempt.attempt for _, attempt in engine.wait_for(11)] == [2] * 11
    assert moments[Phase.POLL, 2] - moments[Phase.REPORT, 1] >= 0.9
    assert ref.attempt == 1


def test_a_waiting_attempt_survives_the_worker(device: Device) -> None:
    device.send_job()
    waiting = ScriptedEngine(
        lambda phase, at: (
            Handover(next_chain=NextChain(at.next_attempt(), 3.0))
            if phase is Phase.REPORT and at.attempt == 1
            else None
        )
    )
    with device.working(waiting):
        waiting.wait_for(11)
    assert sum(device.lengths()) == 1
    engine = ScriptedEngine()
    with device.working(engine):
        assert [attempt.attempt for _, attempt in engine.wait_for(11)] == [2] * 11
    assert device.lengths() == (0, 0)


@pytest.mark.parametrize(
    ("phase", "waiting"),
    [
        (Phase.REPORT, lambda ref: Handover(next_chain=NextChain(ref.next_attempt(), 1.5))),
        (Phase.POLL, lambda _: Handover(retry_in_seconds=1.5)),
    ],
)
def test_a_wait_set_while_the_clock_was_a_day_ahead_lasts_as_long_as_it_was_stated(
    device: Device, phase: Phase, waiting: Callable[[JobRef], Handover]
) -> None:
    device.send_job()
    first, second = ScriptedEngine(lambda at, ref: waiting(ref) if at is phase else None), ScriptedEngine()
    with device.working(first):
        first.wait_for(phase.position)
    device.broker.lmove(processing_list(device.queue), device.queue)
    message = device.take_message()
    ahead = datetime.fromisoformat(message["headers"]["eta"]) + timedelta(days=1)
    device.put(_with_header(message, "eta", ahead.isoformat()))
    with device.working(second):
        second.wait_for(11)
    assert device.lengths() == (0, 0)


def test_jobs_are_processed_one_at_a_time(device: Device) -> None:
    first, second = device.send_job(), device.send_job()
    engine = ScriptedEngine()
    with device.working(engine):
        refs = [ref for _, ref in engine.wait_for(22)]
    assert refs.count(first) == refs.count(second) == 11
    assert device.lengths() == (0, 0)


def _with_body(message: dict[str, Any], body: object) -> dict[str, Any]:
    return {**message, "body": base64.b64encode(json.dumps(body).encode()).decode()}


def _with_header(message: dict[str, Any], name: str, value: object) -> dict[str, Any]:
    return {**message, "headers": {**message["headers"], name: value}}


def _spoil_embed(message: dict[str, Any], name: str, value: object) -> dict[str, Any]:
    args, kwargs, embed = json.loads(base64.b64decode(message["body"]))
    return _with_body(message, [args, kwargs, {**embed, name: value}])


def _spoil_link(message: dict[str, Any], **changes: object) -> dict[str, Any]:
    args, kwargs, embed = json.loads(base64.b64decode(message["body"]))
    return _with_body(message, [args, kwargs, {**embed, "chain": [{**embed["chain"][0], **changes}]}])


FOREIGN = {"task": "outrider.poll", "args": [], "kwargs": {}, "options": {"queue": "device.x"}, "immutable": True}

HOSTILE: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "a body of 5": lambda message: _with_body(message, 5),
    "a body of null": lambda message: _with_body(message, None),
    "a body of a string": lambda message: _with_body(message, "x"),
    "an empty body": lambda message: _with_body(message, []),
    "a body that is not base64": lambda message: {**message, "body": "%%%"},
    "positional arguments": lambda message: _with_body(message, [["x"], {}, {}]),
    "an embed that is no dictionary": lambda message: _with_body(message, [[], {}, 1]),
    "no job": lambda message: _with_body(message, [[], {}, {}]),
    "more than a job": lambda message: _with_body(message, [[], {"job_id": "x", "command": "id"}, {}]),
    "callbacks": lambda message: _spoil_embed(message, "callbacks", [FOREIGN]),
    "errbacks": lambda message: _spoil_embed(message, "errbacks", [FOREIGN]),
    "a chord": lambda message: _spoil_embed(message, "chord", FOREIGN),
    "a link into another queue": lambda message: _spoil_link(message, options={"queue": "device.x"}),
    "a link of another job": lambda message: _spoil_link(
        message, kwargs={"job_id": str(uuid.UUID(int=7)), "generation": 1, "attempt": 1}
    ),
    "a link that is no phase": lambda message: _spoil_link(message, task="celery.map"),
    "a task that is no phase": lambda message: _with_header(message, "task", "celery.map"),
    "a task name that is a list": lambda message: _with_header(message, "task", []),
    "an id that is a dictionary": lambda message: _with_header(message, "id", {}),
    "a time limit of words": lambda message: _with_header(message, "timelimit", ["soon", "later"]),
    "an eta of words": lambda message: _with_header(message, "eta", "tomorrow"),
    "an eta of a number": lambda message: _with_header(message, "eta", 9_999_999_999),
    "an eta without a zone": lambda message: _with_header(message, "eta", "2026-03-01T12:00:00"),
    "an expiry": lambda message: _with_header(message, "expires", "x"),
    "no headers": lambda message: {name: part for name, part in message.items() if name != "headers"},
    "pickle": lambda message: {**message, "content-type": "application/x-python-serialize"},
    "a giant": lambda message: {**message, "filler": "x" * 100_000},
}


@pytest.mark.parametrize("spoil", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_message_is_dropped_and_the_next_job_runs(
    device: Device, spoil: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    device.send_job()
    device.put(spoil(device.take_message()))
    good = device.send_job()
    engine = ScriptedEngine()
    with device.working(engine):
        assert {ref for _, ref in engine.wait_for(11)} == {good}
    assert engine.calls.empty()
    assert device.lengths() == (0, 0)
    assert device.broker.llen("device.x") == 0


def test_a_message_says_who_and_which_and_nothing_else(device: Device) -> None:
    ref = device.send_job()
    _, kwargs, embed = json.loads(base64.b64decode(device.take_message()["body"]))
    assert kwargs == ref.model_dump()
    assert [link["kwargs"] for link in embed["chain"]] == [ref.model_dump()] * 10
    assert {name for link in embed["chain"] for name in link["options"]} <= {"task_id", "reply_to"}
