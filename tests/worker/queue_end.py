"""A device's end of the queue with a scripted engine, and the hands that put jobs and other things into its queue."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import redis
from celery.contrib.testing.worker import start_worker

from contract.jobs import JobRef
from contract.phases import Phase
from contract.queue_messages import unpacked
from contract.queues import device_queue, processing_list
from control.dispatch.celery_app import chain_template
from control.dispatch.ports import AddressedJob
from control.dispatch.redis_publisher import RedisJobPublisher
from control.fleet.broker_users import RedisBrokerUsers, secret_hash
from tests.support.broker import RunningBroker
from tests.support.trust import Roots
from worker.celery_app import make_app
from worker.handover import Handover
from worker.identity import Identity
from worker.message_guard import MAX_MESSAGE_BYTES

SECONDS = 45
SECRET = "a secret/with: odd @ characters"

Script = Callable[[Phase, JobRef], Handover | None]


@dataclass
class ScriptedEngine:
    """Does as its script says, goes on where the script says nothing, and tells what it was asked."""

    script: Script = lambda _phase, _ref: None
    calls: SimpleQueue[tuple[Phase, JobRef]] = field(default_factory=SimpleQueue)

    def run(self, phase: Phase, ref: JobRef, *, turn: int = 0) -> Handover:
        self.calls.put((phase, ref))
        return self.script(phase, ref) or Handover(go_on_at=phase.follower)

    def wait_for(self, count: int) -> list[tuple[Phase, JobRef]]:
        return [self.calls.get(timeout=SECONDS) for _ in range(count)]


@dataclass
class Device:
    """A device's queue, and the hands that put jobs and other things into it."""

    identity: Identity
    publisher: RedisJobPublisher
    broker: redis.Redis

    @property
    def queue(self) -> str:
        return device_queue(self.identity.device_id)

    def send_job(self) -> JobRef:
        ref = JobRef(job_id=str(uuid.uuid4()), generation=1, attempt=1)
        self.publisher.publish([AddressedJob(self.identity.device_id, ref)])
        return ref

    def take_message(self) -> dict[str, Any]:
        raw = self.broker.rpop(self.queue)
        return unpacked(raw, most_bytes=MAX_MESSAGE_BYTES)  # type: ignore[arg-type]  # redis-py's covers asyncio too

    def put(self, message: dict[str, Any]) -> None:
        self.broker.lpush(self.queue, json.dumps(message))

    def lengths(self) -> tuple[Any, Any]:
        return self.broker.llen(self.queue), self.broker.llen(processing_list(self.queue))

    @contextmanager
    def working(self, engine: ScriptedEngine) -> Iterator[None]:
        app = make_app(self.identity, engine)
        # Kombu has one limit for all pools of a process; it cannot be lowered while the publisher's are in use.
        assert app.pool.limit == 1
        with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=SECONDS):
            yield


@contextmanager
def enrolled_device(valkey: RunningBroker) -> Iterator[Device]:
    """A device with a broker user of its own, as enrolment makes it."""
    device_id = str(uuid.uuid4())
    users = RedisBrokerUsers(valkey.control_url)
    # As the control plane does soon after: the broker may be killed and has to know the device afterwards.
    users.save({device_id: secret_hash(SECRET)})
    identity = Identity(
        device_id=device_id,
        name="test",
        control_plane_url="http://127.0.0.1:1",
        signing_key=bytes(32),
        sealing_key=bytes(32),
        broker_url=valkey.device_url,
        broker_user=device_queue(device_id),
        broker_secret=SECRET,
        trusted_keys=Roots().signed(1, {}),
        check_in_interval_seconds=3600,
    )
    with redis.Redis.from_url(valkey.control_url) as broker:
        yield Device(identity, RedisJobPublisher(valkey.control_url, chain_template()), broker)
    users.remove(device_id)
