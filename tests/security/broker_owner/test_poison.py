"""What is no message of a job: it is dropped, counted and shown, and the next good job runs."""

import base64
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.security.broker_owner.messages import (
    Message,
    any_ref,
    assert_the_next_good_job_runs,
    body_of,
    chain_of,
    is_through,
    put,
    with_body,
)
from tests.security.conftest import RefusedBy
from tests.security.site import Agent, Site, eventually
from tests.support.broker import RunningBroker
from tests.worker.queue_end import ScriptedEngine, enrolled_device

pytestmark = pytest.mark.integration
ATTACKER = "the broker's owner"

POISON = "sends what is no message of a job"
MEASURED = 'outrider_refused_by_devices_total{reason="message"}'


class Touch:
    """Runs a command when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.target,)


def pickled(message: Message, home: Path) -> Message:
    body = base64.b64encode(pickle.dumps(Touch(home / "owned"))).decode()
    return {**message, "content-type": "application/x-python-serialize", "body": body}


def other_header(message: Message, name: str, value: object) -> Message:
    return {**message, "headers": {**message["headers"], name: value}}


def other_property(message: Message, name: str, value: object) -> Message:
    return {**message, "properties": {**message["properties"], name: value}}


def with_link(message: Message, **changes: object) -> Message:
    args, kwargs, embed = body_of(message)
    return with_body(message, [args, kwargs, {**embed, "chain": [{**embed["chain"][0], **changes}]}])


def with_embed(message: Message, **changes: object) -> Message:
    args, kwargs, embed = body_of(message)
    return with_body(message, [args, kwargs, {**embed, **changes}])


CALLBACK = {"task": "outrider.install", "args": [], "kwargs": any_ref().model_dump(), "options": {}, "immutable": True}

#: The first byte says that the rest is compressed.
BOMB = b"\x01" + zlib.compress(bytes(1 << 30), level=1)

POISONS: dict[str, Callable[[Message, Path], Message | bytes]] = {
    "not JSON": lambda _message, _home: b"\xff\x00 not JSON",
    "nothing": lambda _message, _home: b"",
    "null": lambda _message, _home: b"null",
    "nested 100,000 deep": lambda _message, _home: b"[" * 100_000 + b"]" * 100_000,
    "a body nested 10,000 deep": lambda message, _home: {
        **message,
        "body": base64.b64encode(b"[" * 10_000 + b"]" * 10_000).decode(),
    },
    "20 MB": lambda message, _home: {**message, "filler": "x" * 20_000_000},
    "a megabyte of compressed zeros that would be a gigabyte": lambda _message, _home: BOMB,
    "compressed bytes that are none": lambda _message, _home: b"\x01" + bytes(100),
    "pickle": pickled,
    "pickle said to be JSON": lambda message, home: {**pickled(message, home), "content-type": "application/json"},
    "another content encoding": lambda message, _home: {**message, "body": "%%%", "content-encoding": "utf-7"},
    "no headers": lambda message, _home: {key: value for key, value in message.items() if key != "headers"},
    "a task that is none": lambda message, _home: other_header(message, "task", "os.system"),
    "no properties": lambda message, _home: {key: value for key, value in message.items() if key != "properties"},
    "a delivery tag that is a list": lambda message, _home: other_property(message, "delivery_tag", []),
    "a body encoding that nobody knows": lambda message, _home: other_property(message, "body_encoding", "rot13"),
    "delivery information that is a number": lambda message, _home: other_property(message, "delivery_info", 5),
    "stamps that are a number": lambda message, _home: other_header(message, "stamped_headers", 5),
    "one limit in place of two": lambda message, _home: other_header(message, "timelimit", [None]),
    "an endless number": lambda message, _home: with_body(message, [[], {"job_id": 10**400}, {}]),
    "a command in place of a job": lambda message, _home: with_body(message, [[], {"command": "touch owned"}, {}]),
    "callbacks": lambda message, _home: with_embed(message, callbacks=[CALLBACK]),
    "a link into another queue": lambda message, _home: with_link(message, options={"queue": "device.x"}),
    "links of another job": lambda message, _home: with_link(message, kwargs=any_ref().model_dump()),
}


@pytest.mark.attack(POISON)
@pytest.mark.parametrize("poison", POISONS)
def test_poison_is_dropped_counted_and_shown(
    site: Site, agent: Agent, broker: redis.Redis, poison: str, refused_by: RefusedBy
) -> None:
    shown, measured, ran = site.show(agent.name).refused_messages, site.metric(MEASURED), agent.ran
    put(broker, agent, POISONS[poison](chain_of(any_ref()), agent.home))
    eventually(lambda: site.show(agent.name).refused_messages == shown + 1, lambda: agent.log[-3000:])
    assert site.metric(MEASURED) == measured + 1
    # A message is counted first and dropped then.
    eventually(lambda: is_through(broker, agent))
    assert agent.ran == ran
    assert not (agent.home / "owned").exists()
    refused_by("dropped: refused_messages + 1")


@pytest.mark.attack(POISON)
def test_after_all_poison_the_next_good_job_runs(
    site: Site, agent: Agent, broker: redis.Redis, refused_by: RefusedBy
) -> None:
    put(broker, agent, *(make(chain_of(any_ref()), agent.home) for make in POISONS.values()))
    assert_the_next_good_job_runs(site, agent)


@pytest.mark.guard_removed(POISON)
def test_a_worker_that_looks_at_no_message_works_on_what_a_stranger_put_into_it(
    valkey: RunningBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message's chain holds another job's links; kombu and Celery by themselves do not mind."""
    monkeypatch.setattr("worker.celery_app.refusal", lambda *_: None)
    engine = ScriptedEngine()
    with enrolled_device(valkey) as device:
        device.send_job()
        device.put(with_link(device.take_message(), task="outrider.metadata", kwargs=any_ref().model_dump()))
        with device.working(engine):
            worked_on = {ref for _, ref in engine.wait_for(2)}
    assert len(worked_on) == 2
