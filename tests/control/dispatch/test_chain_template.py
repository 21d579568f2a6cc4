"""What is sent from a template is what Celery would have sent, field by field; only made-up ids differ."""

import base64
import json
import re
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from kombu import Queue

from contract.job_chain import job_chain
from contract.jobs import JobRef
from contract.queue_messages import unpacked
from contract.queues import device_queue
from control.dispatch.celery_app import chain_message, chain_template, make_app
from control.dispatch.ports import AddressedJob
from control.dispatch.redis_publisher import RedisJobPublisher
from tests.support.broker import RunningBroker

MOST_BYTES = 64 * 1024
REF = JobRef(job_id=str(uuid4()), generation=7, attempt=3)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def comparable(message: dict[str, Any], *known: str) -> tuple[Any, list[str]]:
    """The message with each made-up id replaced by its number in order of appearance, and those ids."""
    text = json.dumps({**message, "body": json.loads(base64.b64decode(message["body"]))})
    ids: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match[0] in known:
            return match[0]
        if match[0] not in ids:
            ids.append(match[0])
        return f"id {ids.index(match[0])}"

    return json.loads(_UUID.sub(number, text)), ids


def made(device_id: str, ref: JobRef) -> dict[str, Any]:
    return unpacked(chain_template().message(device_id, ref), most_bytes=MOST_BYTES)


@pytest.mark.parametrize("ref", [REF, JobRef(job_id=str(uuid4()), generation=1, attempt=1)])
def test_each_field_is_what_celery_would_have_sent(ref: JobRef) -> None:
    device_id = str(uuid4())
    ours, _ = comparable(made(device_id, ref), ref.job_id, device_id)
    stock, _ = comparable(chain_message(device_id, ref), ref.job_id, device_id)
    assert ours == stock


def test_no_id_is_given_twice() -> None:
    template, device_id = chain_template(), str(uuid4())
    messages = [unpacked(template.message(device_id, REF), most_bytes=MOST_BYTES) for _ in range(50)]
    # The address for replies is the sender's, and the same in all of them.
    shared = messages[0]["properties"]["reply_to"]
    ids = [made_up for message in messages for made_up in comparable(message, REF.job_id, device_id, shared)[1]]
    assert len(ids) == len(set(ids)) == 50 * 12
    assert {UUID(made_up).version for made_up in ids} == {4}


@pytest.mark.integration
def test_what_arrives_is_what_the_stock_way_puts_into_the_queue(valkey: RunningBroker) -> None:
    ours, theirs = str(uuid4()), str(uuid4())
    app = make_app(valkey.control_url)
    job_chain(app, REF).apply_async(queue=Queue(device_queue(theirs), exchange="", routing_key=device_queue(theirs)))
    RedisJobPublisher(valkey.control_url, chain_template()).publish([AddressedJob(ours, REF)])
    with redis.Redis.from_url(valkey.control_url) as broker:
        arrived = [broker.rpop(device_queue(device_id)) for device_id in (ours, theirs)]
    (sent, _), (stock, _) = (
        comparable(unpacked(raw, most_bytes=MOST_BYTES), REF.job_id, device_id)
        for raw, device_id in zip(arrived, (ours, theirs), strict=True)
    )
    for message, device_id in ((sent, ours), (stock, theirs)):
        assert message["properties"]["delivery_info"].pop("routing_key") == device_queue(device_id)
    assert sent == stock
