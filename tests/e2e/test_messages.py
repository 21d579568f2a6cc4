"""What lies in the broker while a device is away."""

import base64
import json
from pathlib import Path

import pytest
import redis

from contract.jobs import JobRef, JobState
from contract.queue_messages import unpacked
from contract.queues import device_queue
from deploy.local.control_parts import agent_part
from tests.e2e.conftest import Demo
from tests.support.broker import url_of_tester
from worker.message_guard import MAX_MESSAGE_BYTES

pytestmark = [pytest.mark.integration, pytest.mark.e2e]

DEVICE = "laptop-has-it"
MARK = "a-word-only-the-package-knows"


def test_a_message_holds_no_command_line_no_key_and_no_url(demo: Demo, tmp_path: Path) -> None:
    agent = demo.scenario.agent_environment(DEVICE)
    demo.publish(tmp_path, "quiet", {"install.sh": f"echo {MARK} > $HOME/quiet\n"}, detection="quiet")
    demo.stack.remove(DEVICE)
    try:
        demo.assign("quiet", DEVICE)
        job = demo.wait_for_job("quiet", DEVICE, lambda job: job.state is JobState.SENT)
        with redis.Redis.from_url(url_of_tester(demo.stack.addresses.ports["broker"])) as broker:
            (raw,) = broker.lrange(device_queue(job.device_id), 0, -1)
    finally:
        demo.stack.add(agent_part(DEVICE, agent))
    message = unpacked(raw, most_bytes=MAX_MESSAGE_BYTES)
    body = base64.b64decode(message.pop("body")).decode()
    for text in (json.dumps(message), body):
        for word in ("install.sh", "sh ", "http", "//", "key", MARK, "intunewin", "HOME"):
            assert word not in text.replace("routing_key", "")
    ref = JobRef(job_id=job.id, generation=1, attempt=1).model_dump()
    args, kwargs, embed = json.loads(body)
    assert (args, kwargs) == ([], ref)
    assert [link["kwargs"] for link in embed["chain"]] == [ref] * 10
    assert demo.wait_for_job("quiet", DEVICE, lambda job: job.state is JobState.FINISHED).raw_exit_code == 0
