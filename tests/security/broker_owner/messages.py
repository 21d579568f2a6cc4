"""What the broker's owner puts into a device's queue, and how the device is seen to be none the worse for it."""

import base64
import json
import uuid
from typing import Any

import redis

from contract.jobs import JobRef, JobState
from contract.queues import device_queue, processing_list
from contract.states import Outcome
from control.dispatch.celery_app import chain_message
from tests.security.site import WAIT_SECONDS, Agent, Site, eventually

Message = dict[str, Any]


def chain_of(ref: JobRef) -> Message:
    """The message that begins an attempt, as the control plane makes it."""
    return chain_message(str(uuid.uuid4()), ref)


def any_ref() -> JobRef:
    return JobRef(job_id=str(uuid.uuid4()), generation=1, attempt=1)


def put(broker: redis.Redis, agent: Agent, *messages: Message | bytes) -> None:
    raw = [message if isinstance(message, bytes) else json.dumps(message).encode() for message in messages]
    broker.lpush(device_queue(agent.device_id), *raw)


def is_through(broker: redis.Redis, agent: Agent) -> bool:
    """Whether the device has done with everything in its queue."""
    queue = device_queue(agent.device_id)
    return broker.llen(queue) == broker.llen(processing_list(queue)) == 0


def assert_the_next_good_job_runs(site: Site, agent: Agent, *, seconds: float = WAIT_SECONDS) -> None:
    """The device is what it was: the next app of an operator is installed, and nothing but that."""
    assert agent.is_alive()
    app, before = f"good-{uuid.uuid4().hex[:8]}", agent.ran
    site.deploy(app, agent.name)
    finished = lambda: site.job(app, agent.name).state is JobState.FINISHED  # noqa: E731
    eventually(finished, lambda: site.job(app, agent.name), seconds=seconds)
    assert site.job(app, agent.name).outcome is Outcome.INSTALLED
    assert agent.ran == [*before, app]


def with_body(message: Message, body: object) -> Message:
    return {**message, "body": base64.b64encode(json.dumps(body).encode()).decode()}


def body_of(message: Message) -> Any:
    return json.loads(base64.b64decode(message["body"]))
