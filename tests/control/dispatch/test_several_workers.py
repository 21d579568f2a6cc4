"""Several control workers and schedulers at once, on both databases: nothing is lost, nothing is done twice."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from threading import Barrier, Thread

import pytest
import redis
from sqlalchemy import select

from contract.jobs import JobState
from contract.queues import device_queue
from control.database.tables import Job
from control.dispatch.celery_app import chain_template
from control.dispatch.outbox import dispatch_due
from control.dispatch.redis_publisher import RedisJobPublisher
from control.live_states import LIVE_STATES
from control.work import dispatch_now, plan_now, reconcile_now
from deploy.local.broker_rules import BrokerUser
from tests.control.dispatch.fleets import add_fleet
from tests.control.plane import Plane, RecordingPublisher
from tests.support.broker import RunningBroker

DEVICES = 20


def together(*works: Callable[[], object]) -> None:
    """Do all at the same time; what one raises is raised."""
    start, errors = Barrier(len(works)), list[BaseException]()

    def do(work: Callable[[], object]) -> None:
        start.wait(10)
        try:
            work()
        except BaseException as error:  # noqa: BLE001  it is raised below
            errors.append(error)

    threads = [Thread(target=do, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        raise error


def jobs(plane: Plane) -> list[Job]:
    with plane.services.database.snapshot() as session:
        return list(session.scalars(select(Job)))


def assert_one_live_job_each(plane: Plane, devices: Iterable[str]) -> None:
    live = Counter(job.device_id for job in jobs(plane) if job.state in LIVE_STATES)
    assert live == dict.fromkeys(devices, 1)


def test_two_of_everything_asked_by_two_schedulers(either_plane: Plane) -> None:
    plane = either_plane
    devices = add_fleet(plane, DEVICES)
    publishers = [RecordingPublisher() for _ in range(2)]

    def one_beat(publisher: RecordingPublisher) -> None:
        for _ in range(3):
            plan_now(plane.services)
            dispatch_now(plane.services, {"first": publisher})
            reconcile_now(plane.services, plane.inspector)

    together(*(lambda publisher=publisher: one_beat(publisher) for publisher in publishers))
    assert_one_live_job_each(plane, devices)
    sent = Counter(device_id for publisher in publishers for device_id, _ in publisher.sent)
    assert sent == dict.fromkeys(devices, 1)


def test_two_reconcilers_raise_a_generation_once(either_plane: Plane) -> None:
    plane = either_plane
    devices = add_fleet(plane, DEVICES)
    plane.plan()
    plane.dispatch()
    plane.inspector.emptied = set(devices)
    plane.clock.advance(timedelta(minutes=1))
    together(*[lambda: reconcile_now(plane.services, plane.inspector)] * 3)
    assert {job.generation for job in jobs(plane)} == {2}
    assert len(plane.dispatch()) == DEVICES
    assert_one_live_job_each(plane, devices)


_DISPATCHER = """
import sys
from contract.clock import SystemClock
from control.database.session import Database
from control.dispatch.celery_app import chain_template
from control.dispatch.outbox import dispatch_due
from control.dispatch.redis_publisher import RedisJobPublisher
batches = []
class StoppingPublisher(RedisJobPublisher):
    def publish(self, jobs):
        batches.append(len(jobs))
        if len(batches) == 1:
            return super().publish(jobs)
        super().publish(jobs[:len(jobs) // 2])
        print(batches[0], len(jobs) // 2, flush=True)
        sys.stdin.read()
publisher = StoppingPublisher(sys.argv[2], chain_template())
dispatch_due(Database.at(sys.argv[1]), publisher, SystemClock(), 10_000)
"""
#: More than two batches.
MANY = 1200


@pytest.mark.integration
@pytest.mark.faults
def test_a_dispatcher_killed_in_the_middle_of_a_batch_loses_nothing(either_plane: Plane, valkey: RunningBroker) -> None:
    plane = either_plane
    devices = add_fleet(plane, MANY)
    plane.plan()
    broker_url = valkey.url_of(BrokerUser.WORKER)
    database_url = plane.services.settings.database_url.get_secret_value()
    with redis.Redis.from_url(valkey.control_url) as broker:

        def queued() -> list[int]:
            with broker.pipeline() as pipe:
                for device_id in devices:
                    pipe.llen(device_queue(device_id))
                lengths: list[int] = pipe.execute()
            return lengths

        command = [sys.executable, "-c", _DISPATCHER, database_url, broker_url]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as dispatcher:
            assert dispatcher.stdout is not None
            whole, half = map(int, dispatcher.stdout.readline().split())
            os.kill(dispatcher.pid, signal.SIGKILL)
        assert sum(queued()) == whole + half < MANY
        # The dead dispatcher claimed by the machine's clock; this one stood still meanwhile.
        plane.clock.advance(timedelta(minutes=2))
        publisher = RedisJobPublisher(broker_url, chain_template())
        dispatch_due(plane.services.database, publisher, plane.clock, 10_000)
        assert min(queued()) == 1
        assert Counter(queued()) == {1: MANY - half, 2: half}, "what was not settled is sent in the same generation"
        assert {job.state for job in jobs(plane)} == {JobState.SENT}
        assert {(job.generation, job.attempt) for job in jobs(plane)} == {(1, 1)}
        assert dispatch_due(plane.services.database, publisher, plane.clock, 10_000) == 0
        broker.delete(*(device_queue(device_id) for device_id in devices))
