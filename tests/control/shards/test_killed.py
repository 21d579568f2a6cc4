"""Whoever moves devices may be killed before or after anything it says to a broker: run again, it ends as it should."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from contract.clock import SystemClock
from contract.queues import device_broker_user, device_queue, processing_list
from control.database.session import Database
from control.database.tables import Device
from control.fleet.broker_users import RedisBrokerUsers, secret_hash
from control.shards.device_brokers import DeviceBrokers
from control.shards.device_queues import RedisDeviceQueues
from control.shards.moving import begin_moves, follow_moves
from deploy.local.broker_rules import BrokerUser
from tests.control.plane import Plane, SignedDevice
from tests.support.broker import RunningBroker, running_broker

pytestmark = pytest.mark.integration

SECRET = "a secret"

#: Moves a device, and kills itself at one of the moments right before and after each call of a broker.
MOVER = """
import os, signal, sys
from contract.clock import SystemClock
from control.database.session import Database
from tests.control.shards.test_killed import begin, brokers_at, follow

class Dying:
    calls = 0
    def __init__(self, real): self._real = real
    def __getattr__(self, name):
        call = getattr(self._real, name)
        def counted(*args):
            Dying.moment()
            result = call(*args)
            Dying.moment()
            return result
        return counted
    @classmethod
    def moment(cls):
        cls.calls += 1
        if cls.calls == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)

database, brokers = Database.at(sys.argv[3]), brokers_at(sys.argv[4:6])
for shards in (brokers.users, brokers.queues):
    for name in shards:
        shards[name] = Dying(shards[name])
{"begin": begin, "follow": follow}[sys.argv[1]](database, brokers)
"""


def brokers_at(urls: list[str]) -> DeviceBrokers:
    named = dict(zip(("first", "two"), urls, strict=True))
    users = {name: RedisBrokerUsers(url) for name, url in named.items()}
    return DeviceBrokers(users, {name: RedisDeviceQueues(url) for name, url in named.items()})


def begin(database: Database, brokers: DeviceBrokers) -> None:
    now = SystemClock().now()
    with database.transaction() as session:
        ids = [device.id for device in session.query(Device)]
        begin_moves(session, ids, ["two"], brokers.users, online_since=now, now=now)


def follow(database: Database, brokers: DeviceBrokers) -> None:
    follow_moves(database, brokers, SystemClock())


@dataclass
class Site:
    """Two brokers and a database with one device that is at the first."""

    database: Database
    urls: list[str]
    testers: list[redis.Redis]
    database_url: str
    device_id: str

    def killed(self, what: str, moment: int) -> bool:
        """Whether the mover was killed; otherwise it has ended well."""
        command = [sys.executable, "-c", MOVER, what, str(moment), self.database_url, *self.urls]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode in {0, -signal.SIGKILL}, ended.stderr
        return ended.returncode != 0

    def row(self) -> Device:
        with self.database.snapshot() as session:
            return session.get_one(Device, self.device_id)


@pytest.fixture
def site(plane: Plane, sqlite_url: str, valkey: RunningBroker, tmp_path: Path) -> Iterator[Site]:
    device = SignedDevice(client=None)  # type: ignore[arg-type]  # it only makes the request
    with plane.services.database.transaction() as session:
        request = device.enrollment(plane.token())
        reply = plane.services.enrollment.enroll(session, request, plane.clock.now(), "")
        session.get_one(Device, reply.device_id).broker_secret_hash = secret_hash(SECRET)
    with running_broker(tmp_path / "two") as two:
        urls = [broker.url_of(BrokerUser.FLEET) for broker in (valkey, two)]
        testers = [redis.Redis.from_url(broker.control_url) for broker in (valkey, two)]
        RedisBrokerUsers(urls[0]).put({reply.device_id: SECRET})
        yield Site(plane.services.database, urls, testers, sqlite_url, reply.device_id)
        RedisBrokerUsers(urls[0]).remove(reply.device_id)
        for tester in testers:
            tester.close()


def test_a_device_is_let_in_at_the_new_shard_whenever_its_mover_is_killed(site: Site) -> None:
    moment = 1
    while site.killed("begin", moment):
        assert site.row().next_shard is None, "only the commit begins the move"
        moment += 1
    assert moment > 2
    assert site.row().next_shard == "two"
    assert device_broker_user(site.device_id) in site.testers[1].acl_users()


@pytest.mark.parametrize("moment", range(1, 10))
def test_messages_are_brought_once_and_in_order_whenever_their_mover_is_killed(site: Site, moment: int) -> None:
    queue, (old, new) = device_queue(site.device_id), site.testers
    old.lpush(queue, b"taken", b"oldest", b"newest")
    old.lmove(queue, processing_list(queue), "RIGHT", "LEFT")
    new.lpush(queue, b"sent since")
    with site.database.transaction() as session:
        device = session.get_one(Device, site.device_id)
        device.broker_shard, device.left_shard = "two", "first"
        device.left_shard_at = device.enrolled_at - timedelta(hours=1)
    was_killed = site.killed("follow", moment)
    assert was_killed == (moment < 9), "four calls of brokers, two moments each"
    follow(site.database, brokers_at(site.urls))
    assert new.lrange(queue, 0, -1) == [b"sent since", b"newest", b"oldest", b"taken"]
    assert (old.exists(queue), old.exists(processing_list(queue))) == (0, 0)
    assert device_broker_user(site.device_id) not in old.acl_users()
    assert site.row().left_shard is None
