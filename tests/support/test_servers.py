"""The shared servers are what other tests take them for."""

import psycopg
import pytest
import redis

from tests.support.broker import RunningBroker

pytestmark = pytest.mark.integration


def test_the_broker_knows_its_users_and_nobody_else(valkey: RunningBroker) -> None:
    with redis.Redis.from_url(valkey.control_url) as control, redis.Redis.from_url(valkey.device_url) as nobody:
        assert control.ping()
        with pytest.raises(redis.AuthenticationError):
            nobody.ping()


def test_each_test_has_a_database_of_its_own(postgresql: str) -> None:
    with psycopg.connect(postgresql) as connection:
        name = connection.execute("SELECT current_database()").fetchone()
    assert name is not None
    assert str(name[0]).startswith("test_")
