"""Sending jobs to devices: processor time for each, and what each takes in the broker.

The baseline is a loop of `chain.apply_async` with kombu's own transport into the same broker, each chain into another
device's queue, in turns with ours.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import process_time
from uuid import uuid4

import redis
from kombu import Queue

from contract.job_chain import job_chain
from contract.jobs import JobRef
from contract.queues import device_queue
from control.dispatch.celery_app import chain_template, make_app
from control.dispatch.ports import AddressedJob
from control.dispatch.redis_publisher import RedisJobPublisher
from deploy.local.polling import wait_until
from tests.bench.row import Row, Unit
from tests.support.broker import RunningBroker, running_broker

#: A twentieth of the stock way's processor time.
AIM_TIME = 1 / 20
AIM_MEMORY = 0.3

_JOBS = 20_000
_QUICK_JOBS = 2_000
#: The stock way is slow, and costs the same at any number.
_STOCK_SHARE = 10
_BATCH = 500
_ROUNDS = 3
_FREED_SECONDS = 60
_AREA = "dispatch"

_Send = Callable[[Sequence[AddressedJob]], None]


def rows(quick: bool) -> list[Row]:
    """Time and memory of one job."""
    jobs = _QUICK_JOBS if quick else _JOBS
    with _broker() as server, redis.Redis.from_url(server.control_url) as broker:
        ours, stock = _Way(broker, _template_way(server)), _Way(broker, _stock_way(server))
        for _ in range(_ROUNDS):
            ours.measure(jobs)
            stock.measure(jobs // _STOCK_SHARE)
    rate = f"{1 / ours.seconds:,.0f} jobs a second beside {1 / stock.seconds:,.0f}"
    return [
        Row(_AREA, "one job", ours.seconds * 1e3, stock.seconds * 1e3, AIM_TIME, rate, unit=Unit.CPU_MILLISECONDS),
        Row(_AREA, "one waiting job in the broker", ours.bytes, stock.bytes, AIM_MEMORY, unit=Unit.BYTES),
    ]


class _Way:
    """One way to send, and the best it did so far for one job."""

    def __init__(self, broker: redis.Redis, send: _Send) -> None:
        self._broker = broker
        self._send = send
        self.seconds = float("inf")
        self.bytes = float("inf")

    def measure(self, count: int) -> None:
        """Send so many jobs, each to a device of its own, and throw them away."""
        jobs = [AddressedJob(str(uuid4()), JobRef(job_id=str(uuid4()), generation=1, attempt=1)) for _ in range(count)]
        before = self._used_bytes()
        began = process_time()
        self._send(jobs)
        self.seconds = min(self.seconds, (process_time() - began) / count)
        self.bytes = min(self.bytes, (self._used_bytes() - before) / count)
        self._broker.flushall()
        # Freed before the next measurement begins, not behind its back.
        assert wait_until(lambda: self._broker.info("memory")["lazyfree_pending_objects"] == 0, seconds=_FREED_SECONDS)

    def _used_bytes(self) -> int:
        used: int = self._broker.info("memory")["used_memory"]
        return used


def _template_way(server: RunningBroker) -> _Send:
    publisher = RedisJobPublisher(server.control_url, chain_template())

    def send(jobs: Sequence[AddressedJob]) -> None:
        for start in range(0, len(jobs), _BATCH):
            publisher.publish(jobs[start : start + _BATCH])

    return send


def _stock_way(server: RunningBroker) -> _Send:
    app = make_app(server.control_url)

    def send(jobs: Sequence[AddressedJob]) -> None:
        with app.producer_pool.acquire(block=True) as producer:
            for job in jobs:
                name = device_queue(job.device_id)
                queue = Queue(name, exchange="", routing_key=name)
                job_chain(app, job.ref).apply_async(producer=producer, queue=queue)

    return send


@contextmanager
def _broker() -> Iterator[RunningBroker]:
    with tempfile.TemporaryDirectory(prefix="outrider-bench-") as folder, running_broker(Path(folder)) as server:
        yield server
