"""A part whose broker user may write the control plane's own queue, against the workers there: real processes."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from contract.queues import CONTROL_QUEUE, ControlTask
from control.dispatch.celery_app import CeleryControlQueue, make_app
from control.dispatch.message_guard import refusal
from deploy.local.broker_rules import BrokerUser
from deploy.local.polling import wait_until
from tests.security.conftest import RefusedBy
from tests.security.site import eventually
from tests.support.broker import RunningBroker

pytestmark = pytest.mark.integration
ATTACKER = "a part at the broker"

POISON = "stops the control plane's workers with a malformed message"

#: How long a worker may take to start on a busy machine.
START_SECONDS = 60

#: kombu's notes on what workers have taken.
UNACKED = "unacked"

#: A worker that writes down each task it runs and each message it drops.
WORKER = """
import sys
from pathlib import Path
from contract.queues import ControlTask
from control.dispatch import celery_app

def into(name):
    def write():
        with (Path(sys.argv[2]) / name).open("a") as file:
            file.write("x")
    return write

if sys.argv[3] == "stock":
    celery_app.TRANSPORT_NAME = None
celery_app.run_worker(sys.argv[1], {ControlTask.PLAN: into("ran")}, into("refused"))
"""

Message = dict[str, Any]


@dataclass(frozen=True)
class Worker:
    """A worker, and the queue as the API may write it."""

    process: subprocess.Popen[bytes]
    folder: Path
    broker: redis.Redis
    queue: CeleryControlQueue

    def count(self, what: str) -> int:
        """How often it ran a task, or refused a message."""
        path = self.folder / what
        return path.stat().st_size if path.exists() else 0

    def put(self, message: Message | bytes) -> None:
        self.broker.lpush(CONTROL_QUEUE, message if isinstance(message, bytes) else json.dumps(message))

    def runs_the_next(self, *, seconds: float = 20) -> bool:
        before = self.count("ran")
        self.queue.request(ControlTask.PLAN)
        return wait_until(lambda: self.count("ran") == before + 1, seconds=seconds)


@contextmanager
def working(valkey: RunningBroker, folder: Path, transport: str = "guarded", *, database: int = 0) -> Iterator[Worker]:
    """A worker in a database of its own, so that no other takes what is meant for it."""
    urls = (valkey.control_url, valkey.url_of(BrokerUser.WORKER), valkey.url_of(BrokerUser.API))
    tester_url, url, api_url = (f"{url.removesuffix('0')}{database}" for url in urls)
    with redis.Redis.from_url(tester_url) as broker, (folder / "log").open("ab") as log:
        broker.delete(CONTROL_QUEUE, UNACKED, "unacked_index")
        command = [sys.executable, "-c", WORKER, url, str(folder), transport]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        queue = CeleryControlQueue(make_app(api_url))
        try:
            worker = Worker(process, folder, broker, queue)
            assert worker.runs_the_next(seconds=START_SECONDS), (folder / "log").read_text()
            yield worker
        finally:
            process.terminate()
            process.wait(20)
            broker.delete(CONTROL_QUEUE, UNACKED, "unacked_index")


@pytest.fixture(scope="module")
def worker(valkey: RunningBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """One for all of them: it is never to stop."""
    with working(valkey, tmp_path_factory.mktemp("worker")) as running:
        yield running


def sample() -> Message:
    """A request as Celery makes it."""
    app = make_app("memory://")
    with app.connection_for_write() as connection:
        app.send_task(ControlTask.PLAN.value, connection=connection, expires=3600)
        message: Message = connection.default_channel._get(CONTROL_QUEUE)
    return message


def with_body(body: object) -> Callable[[Message], Message]:
    return lambda message: {**message, "body": base64.b64encode(json.dumps(body).encode()).decode()}


def with_header(name: str, value: object) -> Callable[[Message], Message]:
    return lambda message: {**message, "headers": {**message["headers"], name: value}}


def with_property(name: str, value: object) -> Callable[[Message], Message]:
    return lambda message: {**message, "properties": {**message["properties"], name: value}}


POISONS: dict[str, Callable[[Message], Message | bytes]] = {
    "not JSON": lambda _: b"\xff\x00 not JSON",
    "nothing": lambda _: b"",
    "null": lambda _: b"null",
    "nested 100,000 deep": lambda _: b"[" * 100_000 + b"]" * 100_000,
    "20 MB": lambda message: {**message, "filler": "x" * 20_000_000},
    "a body that is a number": with_body(5),
    "a body that is no base64": lambda message: {**message, "body": "%%%"},
    "a body nested deep": lambda message: {**message, "body": base64.b64encode(b"[" * 3000 + b"]" * 3000).decode()},
    "arguments": with_body([["a"], {}, {}]),
    "callbacks": with_body([[], {}, {"callbacks": [{"task": "control.plan"}]}]),
    "no headers": lambda message: {key: value for key, value in message.items() if key != "headers"},
    "a task of nobody": with_header("task", "os.system"),
    "an id that is a list": with_header("id", []),
    "an expiry that is a list": with_header("expires", []),
    "a time that is a list": with_header("eta", []),
    "a limit that is a word": with_header("timelimit", "x"),
    "one limit in place of two": with_header("timelimit", [None]),
    "pickle": lambda message: {**message, "content-type": "application/x-python-serialize"},
    "another encoding": lambda message: {**message, "content-encoding": "utf-7"},
    "no properties": lambda message: {key: value for key, value in message.items() if key != "properties"},
    "a delivery tag that is a list": with_property("delivery_tag", []),
    "a body encoding that nobody knows": with_property("body_encoding", "rot13"),
    "stamps that are a number": with_header("stamped_headers", 5),
    "delivery information that is a number": with_property("delivery_info", 5),
}


@pytest.mark.attack(POISON)
@pytest.mark.parametrize("poison", POISONS)
def test_poison_is_dropped_and_counted_and_the_next_request_is_served(
    worker: Worker, poison: str, refused_by: RefusedBy
) -> None:
    refused = worker.count("refused")
    worker.put(POISONS[poison](sample()))
    eventually(lambda: worker.count("refused") == refused + 1, lambda: (worker.folder / "log").read_text()[-3000:])
    assert worker.runs_the_next()
    assert worker.process.poll() is None
    # A request is acknowledged once it has run.
    eventually(lambda: worker.broker.llen(CONTROL_QUEUE) == worker.broker.hlen(UNACKED) == 0)
    refused_by("dropped: on_refused, a line in the log")


@pytest.mark.parametrize("task", ControlTask)
def test_what_the_api_and_the_scheduler_ask_for_is_let_in(task: ControlTask) -> None:
    assert refusal(with_header("task", task.value)(sample())) is None


@pytest.mark.guard_removed(POISON)
def test_a_stock_worker_stops_for_good_and_leaves_the_poison_for_the_next_one(
    valkey: RunningBroker, tmp_path: Path
) -> None:
    with working(valkey, tmp_path, "stock", database=1) as worker:
        # What it ran is acknowledged a moment later; as it stops it gives back what is not.
        eventually(lambda: worker.broker.hlen(UNACKED) == 0)
        worker.put(with_body(5)(sample()))
        worker.process.wait(20)
        assert worker.broker.llen(CONTROL_QUEUE) == 1
