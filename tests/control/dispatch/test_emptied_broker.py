"""A broker that was emptied, for real: what it lost is noticed by looking, with the worker's own rights."""

from datetime import timedelta

import pytest
import redis

from contract.errors import UnavailableError
from contract.queues import device_queue, processing_list
from control.dispatch.celery_app import chain_template
from control.dispatch.outbox import dispatch_due
from control.dispatch.redis_publisher import RedisJobPublisher
from control.dispatch.redis_queues import RedisQueueInspector
from control.work import reconcile_now
from deploy.local.broker_rules import BrokerUser
from deploy.local.ports import HOST, find_free_port
from tests.control.dispatch.fleets import add_fleet
from tests.control.plane import Plane
from tests.support.broker import RunningBroker

pytestmark = pytest.mark.integration

DEVICES = 10


def dispatch(plane: Plane, valkey: RunningBroker) -> int:
    publisher = RedisJobPublisher(valkey.url_of(BrokerUser.WORKER), chain_template())
    return dispatch_due(plane.services.database, publisher, plane.clock, 1000)


def test_an_emptied_broker_gets_all_of_it_again_within_a_minute(either_plane: Plane, valkey: RunningBroker) -> None:
    plane = either_plane
    devices = add_fleet(plane, DEVICES)
    plane.plan()
    assert dispatch(plane, valkey) == DEVICES
    inspector = RedisQueueInspector(valkey.url_of(BrokerUser.WORKER))
    plane.clock.advance(timedelta(seconds=31))
    with redis.Redis.from_url(valkey.control_url) as broker:
        queue = device_queue(devices[0])
        broker.lmove(queue, processing_list(queue), "RIGHT", "LEFT")
        assert inspector.without_messages(devices) == frozenset(), "taken is not lost"
        reconcile_now(plane.services, inspector)
        assert dispatch(plane, valkey) == 0
        broker.flushall()
        assert inspector.without_messages(devices) == frozenset(devices)
        reconcile_now(plane.services, inspector)
        assert dispatch(plane, valkey) == DEVICES
        assert [broker.llen(device_queue(device_id)) for device_id in devices] == [1] * DEVICES
        broker.flushall()


def test_a_broker_that_is_away_is_named() -> None:
    with pytest.raises(UnavailableError):
        RedisQueueInspector(f"redis://{HOST}:{find_free_port()}/0").without_messages({"d"})
