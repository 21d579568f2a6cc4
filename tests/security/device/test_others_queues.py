"""A device at the broker: it may read its own queue, and nothing else."""

import uuid
from collections.abc import Callable, Iterator

import pytest
import redis

from contract.queues import CONTROL_QUEUE, device_broker_user, device_queue, processing_list
from control.fleet.broker_users import RedisBrokerUsers
from deploy.local.ports import HOST
from tests.security.conftest import RefusedBy
from tests.support.broker import RunningBroker

ATTACKER = "a device"

OTHERS_QUEUES = "reads, takes, counts or writes queues of others"

#: What a device could want of a queue that is not its own.
COMMANDS: dict[str, Callable[[redis.Redis, str], object]] = {
    "read": lambda broker, queue: broker.lrange(queue, 0, -1),
    "take": lambda broker, queue: broker.rpop(queue),
    "count": lambda broker, queue: broker.llen(queue),
    "write": lambda broker, queue: broker.lpush(queue, "{}"),
    "delete": lambda broker, queue: broker.delete(queue),
}


@pytest.fixture
def at_broker(valkey: RunningBroker) -> Iterator[tuple[redis.Redis, str]]:
    """A device's connection, and its id."""
    device_id, users = str(uuid.uuid4()), RedisBrokerUsers(valkey.control_url)
    users.put({device_id: "secret"})
    user = device_broker_user(device_id)
    with redis.Redis(host=HOST, port=valkey.port, username=user, password="secret", protocol=2) as connection:
        yield connection, device_id
    users.remove(device_id)


OTHERS = [CONTROL_QUEUE, device_queue("another"), processing_list(device_queue("another")), "nonce.x"]


@pytest.mark.integration
@pytest.mark.attack(OTHERS_QUEUES)
@pytest.mark.parametrize("queue", OTHERS)
@pytest.mark.parametrize("command", COMMANDS)
def test_queues_of_others_are_closed_to_a_device(
    at_broker: tuple[redis.Redis, str], command: str, queue: str, refused_by: RefusedBy
) -> None:
    connection, _ = at_broker
    with pytest.raises(redis.exceptions.NoPermissionError) as caught:
        COMMANDS[command](connection, queue)
    refused_by(f"broker: {type(caught.value).__name__}")


@pytest.mark.integration
@pytest.mark.attack(OTHERS_QUEUES)
@pytest.mark.parametrize("command", ["KEYS *", "ACL LIST", "CONFIG GET *", "MONITOR", "SUBSCRIBE *", "FLUSHALL"])
def test_a_device_sees_and_commands_nothing_else(
    at_broker: tuple[redis.Redis, str], command: str, refused_by: RefusedBy
) -> None:
    connection, _ = at_broker
    with pytest.raises(redis.exceptions.NoPermissionError) as caught:
        connection.execute_command(*command.split())  # type: ignore[no-untyped-call]  # redis-py's
    refused_by(f"broker: {type(caught.value).__name__}")


@pytest.mark.integration
@pytest.mark.guard_removed(OTHERS_QUEUES)
def test_with_a_looser_rule_a_device_reads_them_all(at_broker: tuple[redis.Redis, str], valkey: RunningBroker) -> None:
    connection, device_id = at_broker
    with redis.Redis.from_url(valkey.control_url) as tester:
        tester.execute_command("ACL", "SETUSER", device_broker_user(device_id), "allkeys", "+@all")
        for queue in OTHERS:
            for command in COMMANDS.values():
                command(connection, f"{queue}.of-this-test")
