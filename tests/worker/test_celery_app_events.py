"""What the dashboard hears of phases: all of it, in few messages, and of a long phase before it begins."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from celery.contrib.testing.worker import start_worker

from contract.jobs import JobRef
from contract.phases import PHASES, Phase
from contract.queues import phase_task
from deploy.local.polling import wait_until
from tests.support.broker import RunningBroker
from tests.worker.queue_end import SECONDS, Device, ScriptedEngine, enrolled_device
from worker.celery_app import make_app, tell_before_long_phases
from worker.handover import Handover

pytestmark = pytest.mark.integration

KINDS = ("task-received", "task-started", "task-succeeded")


class Dashboard:
    """Hears what a dashboard would.

    Attributes:
        messages: The events of each message that came.
    """

    def __init__(self, broker: redis.Redis) -> None:
        self._subscription = broker.pubsub()  # type: ignore[no-untyped-call]  # redis-py's
        self._subscription.psubscribe("/0.celeryev/task*")
        self._subscription.get_message(timeout=SECONDS)
        self.messages: list[list[dict[str, Any]]] = []

    def kinds(self) -> list[tuple[str, str]]:
        """The kind of each event that came so far, with the task it is about."""
        while (message := self._subscription.get_message(timeout=0.2)) is not None:
            body = json.loads(message["data"])["body"]
            self.messages.append(_events(body))
        events = [event for events in self.messages for event in events]
        names = {event["uuid"]: event["name"] for event in events if event["type"] == "task-received"}
        return [(event["type"], names[event["uuid"]]) for event in events]


def _events(body: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(base64.b64decode(body))
    return found


@pytest.fixture
def device(valkey: RunningBroker) -> Iterator[Device]:
    with enrolled_device(valkey) as made:
        yield made


@contextmanager
def _agent(device: Device, engine: ScriptedEngine) -> Iterator[None]:
    app = make_app(device.identity, engine)
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=SECONDS) as worker:
        tell_before_long_phases(worker)
        yield


def test_every_phase_of_a_quick_job_is_told_in_few_messages(device: Device) -> None:
    dashboard, engine = Dashboard(device.broker), ScriptedEngine()
    with _agent(device, engine):
        device.send_job()
        engine.wait_for(len(PHASES))
        every = {(kind, phase_task(phase)) for phase in PHASES for kind in KINDS}
        assert wait_until(lambda: set(dashboard.kinds()) >= every, seconds=SECONDS)
    assert len(dashboard.messages) < len(PHASES)


def test_a_phase_that_may_take_long_is_told_before_it_begins(device: Device) -> None:
    dashboard = Dashboard(device.broker)
    told: list[tuple[str, str]] = []

    def script(phase: Phase, _ref: JobRef) -> Handover | None:
        if phase is Phase.INSTALL:
            told.extend(dashboard.kinds())
        return None

    engine = ScriptedEngine(script)
    with _agent(device, engine):
        device.send_job()
        engine.wait_for(len(PHASES))
    assert ("task-succeeded", phase_task(Phase.UNPACK)) in told
    assert ("task-started", phase_task(Phase.INSTALL)) in told


def test_nothing_is_left_unsaid_by_an_agent_that_stops(device: Device) -> None:
    dashboard, engine = Dashboard(device.broker), ScriptedEngine()
    with _agent(device, engine):
        device.send_job()
        engine.wait_for(len(PHASES))
    assert ("task-succeeded", phase_task(Phase.REPORT)) in dashboard.kinds()
