"""More messages than a device can hold."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import redis

from contract.queues import device_queue, processing_list
from deploy.local.polling import wait_until
from tests.security.broker_owner.messages import (
    Message,
    any_ref,
    assert_the_next_good_job_runs,
    chain_of,
    put,
    with_body,
)
from tests.security.conftest import RefusedBy
from tests.security.site import Agent, Site, eventually
from tests.support.broker import RunningBroker
from tests.worker.queue_end import ScriptedEngine, enrolled_device
from worker.celery_app import MOST_WAITING

pytestmark = pytest.mark.integration
ATTACKER = "the broker's owner"

FLOOD = "floods the queue with poison"
WAITING_FLOOD = "floods the queue with chains that wait for hours"

FLOOD_MESSAGES = 20_000
FLOOD_SECONDS = 100
WAITING_MESSAGES = 5_000
#: What the agent may take more while it lasts: its memory is bounded by what it holds, its disk by the logs' rotation.
MORE_MEMORY_BYTES = 150_000_000
MORE_DISK_BYTES = 60_000_000


def in_hours(message: Message) -> Message:
    eta = (datetime.now(UTC) + timedelta(hours=6)).isoformat()
    tag = str(uuid.uuid4())
    headers = {**message["headers"], "eta": eta, "id": tag}
    return {**message, "headers": headers, "properties": {**message["properties"], "delivery_tag": tag}}


@pytest.mark.attack(FLOOD)
def test_a_flood_of_poison_is_dropped_and_costs_neither_memory_nor_disk(
    site: Site, agent: Agent, broker: redis.Redis, refused_by: RefusedBy
) -> None:
    shown, memory, disk = site.show(agent.name).refused_messages, agent.memory_bytes(), agent.disk_bytes()
    poison = json.dumps(chain_of(any_ref()) | {"body": "%%%"}).encode()
    for _ in range(FLOOD_MESSAGES // 1000):
        put(broker, agent, *([poison] * 1000))
    assert_the_next_good_job_runs(site, agent, seconds=FLOOD_SECONDS)
    eventually(lambda: site.show(agent.name).refused_messages == shown + FLOOD_MESSAGES)
    assert agent.memory_bytes() - memory < MORE_MEMORY_BYTES
    assert agent.disk_bytes() - disk < MORE_DISK_BYTES
    refused_by(f"dropped: refused_messages + {FLOOD_MESSAGES}")


@pytest.mark.attack(WAITING_FLOOD)
def test_a_flood_of_waiting_chains_is_held_up_to_a_bound(
    site: Site, agent: Agent, broker: redis.Redis, refused_by: RefusedBy
) -> None:
    shown, memory = site.show(agent.name).refused_messages, agent.memory_bytes()
    message, queue = chain_of(any_ref()), device_queue(agent.device_id)
    put(broker, agent, *(in_hours(message) for _ in range(WAITING_MESSAGES)))
    eventually(
        lambda: (broker.llen(queue), broker.llen(processing_list(queue))) == (0, MOST_WAITING),
        lambda: agent.log[-3000:],
    )
    dropped = WAITING_MESSAGES - MOST_WAITING
    eventually(lambda: site.show(agent.name).refused_messages == shown + dropped)
    assert agent.memory_bytes() - memory < MORE_MEMORY_BYTES
    assert_the_next_good_job_runs(site, agent)
    refused_by(f"dropped beyond {MOST_WAITING}: refused_messages + {dropped}")


@pytest.mark.guard_removed(FLOOD)
def test_without_the_look_at_messages_one_of_them_stops_the_worker(
    valkey: RunningBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.celery_app.refusal", lambda *_: None)
    engine = ScriptedEngine()
    with enrolled_device(valkey) as device:
        device.send_job()
        device.put(with_body(device.take_message(), 5))
        device.send_job()
        with device.working(engine):
            assert not wait_until(lambda: not engine.calls.empty(), seconds=3)
        assert sum(device.lengths()) == 2


@pytest.mark.guard_removed(WAITING_FLOOD)
def test_without_the_bound_all_of_them_are_held(valkey: RunningBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.celery_app.MOST_WAITING", None)
    more = MOST_WAITING + 200
    with enrolled_device(valkey) as device:
        device.send_job()
        message = device.take_message()
        for _ in range(more):
            device.put(in_hours(message))
        with device.working(ScriptedEngine()):
            eventually(lambda: device.lengths() == (0, more), device.lengths)
