"""The broker's users of devices: who may touch which key, in one file.

A device may read, acknowledge and put back its own messages, send its own next chain, and tell Flower what it does. It
may see, count, take or write nothing else; the proof is in `tests/control/fleet`.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from contract.error_codes import ErrorCode
from contract.errors import UnavailableError
from contract.queues import device_broker_user, device_queue, processing_list

_TIMEOUT_SECONDS: Final = 5
#: Orders in one round trip.
_BATCH: Final = 500
#: How the names of these counters begin.
_DENIED: Final = "acl_access_denied_"

#: Events go to Flower through this channel; with it alone they may be sent, and never listened to.
EVENTS_CHANNEL: Final = "/0.celeryev/*"


def secret_hash(secret: str) -> str:
    """What the broker keeps of a secret and compares: its SHA-256 in lower-case hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def device_rights(device_id: str, hashed_secret: str) -> tuple[str, ...]:
    """The rules of a device's user, as ACL SETUSER takes them; the secret itself does not travel."""
    queue = device_queue(device_id)
    processing = processing_list(queue)
    own_keys = f"~{queue} ~{processing} +lpush +rpush +llen +blmove +lmove +lrem"
    session = "+hello +auth +ping +select +client|setname +client|setinfo +multi +exec +discard"
    return (
        *("reset", "on", f"#{hashed_secret}", "resetchannels", "-@all"),
        *session.split(),
        *own_keys.split(),
        f"(+publish &{EVENTS_CHANNEL})",
    )


class BrokerUsers(Protocol):
    """Who may use the broker; changes are live at once, and survive its restart but for `put`."""

    def put(self, secrets: Mapping[str, str]) -> None:
        """Let devices in with these secrets, by their ids; those they had before no longer work.

        They survive the broker's restart from the next `save` on.

        Raises:
            UnavailableError: The broker does not answer.
        """
        ...

    def save(self, hashed_secrets: Mapping[str, str]) -> None:
        """Let in these devices, by their ids, also after a restart of the broker, and if it has forgotten them.

        Raises:
            UnavailableError: The broker does not answer.
        """
        ...

    def remove(self, *device_ids: str) -> None:
        """Shut devices out, end their connections, empty their queues; one that is not there is fine.

        Raises:
            UnavailableError: The broker does not answer.
        """
        ...

    def renew(self, hashed_secrets: Mapping[str, str]) -> None:
        """Let in exactly these devices, by their ids, and shut all others out.

        Raises:
            UnavailableError: The broker does not answer.
        """
        ...

    def refused(self) -> Mapping[str, int]:
        """How often the broker has refused somebody since it started, by what was not allowed.

        `auth` is a name or password, `cmd` a command, `key` somebody else's queue, `channel` an event.

        Raises:
            UnavailableError: The broker does not answer.
        """
        ...


class RedisBrokerUsers:
    """`BrokerUsers` of a Redis or Valkey with an ACL file."""

    def __init__(self, broker_url: str) -> None:
        self._redis: Redis = Redis.from_url(
            broker_url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
        )

    def put(self, secrets: Mapping[str, str]) -> None:
        """ACL SETUSER; ACL SAVE writes the users of the whole fleet, which is too much for each device."""
        with _translated():
            self._acl_all([_let_in(device_id, secret_hash(secret)) for device_id, secret in secrets.items()])

    def save(self, hashed_secrets: Mapping[str, str]) -> None:
        """ACL SETUSER in batches, one ACL SAVE."""
        with _translated():
            self._acl_all([_let_in(device_id, hashed) for device_id, hashed in hashed_secrets.items()])
            self._acl("SAVE")

    def remove(self, *device_ids: str) -> None:
        """ACL DELUSER, which also ends the user's connections, then DEL, and one ACL SAVE."""
        queues = [device_queue(device_id) for device_id in device_ids]
        with _translated():
            self._acl_all([("DELUSER", device_broker_user(device_id)) for device_id in device_ids])
            self._redis.delete(*queues, *map(processing_list, queues))
            self._acl("SAVE")

    def renew(self, hashed_secrets: Mapping[str, str]) -> None:
        """ACL SETUSER and ACL DELUSER in batches, one ACL SAVE."""
        wanted = {device_broker_user(device_id): device_id for device_id in hashed_secrets}
        with _translated():
            present = {name.decode() for name in self._acl("USERS")}
            strangers = [name for name in present - wanted.keys() if name.startswith(device_broker_user(""))]
            orders = [_let_in(id_, hashed_secrets[id_]) for id_ in wanted.values()]
            self._acl_all([*orders, *(("DELUSER", name) for name in strangers)])
            self._acl("SAVE")

    def refused(self) -> Mapping[str, int]:
        """INFO's counters of refused access; a broker that is too old to count has none."""
        with _translated():
            stats: Any = self._redis.info("stats")
        return {name.removeprefix(_DENIED): int(n) for name, n in stats.items() if name.startswith(_DENIED)}

    def _acl(self, *words: str) -> Any:
        return self._redis.execute_command("ACL", *words)  # type: ignore[no-untyped-call]  # the library leaves it so

    def _acl_all(self, orders: Sequence[tuple[str, ...]]) -> None:
        for start in range(0, len(orders), _BATCH):
            self._acl_batch(orders[start : start + _BATCH])

    def _acl_batch(self, orders: Sequence[tuple[str, ...]]) -> None:
        with self._redis.pipeline(transaction=False) as pipe:
            for words in orders:
                pipe.execute_command("ACL", *words)  # type: ignore[no-untyped-call]  # the library leaves it so
            pipe.execute()


def _let_in(device_id: str, hashed_secret: str) -> tuple[str, ...]:
    return ("SETUSER", device_broker_user(device_id), *device_rights(device_id, hashed_secret))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (AuthenticationError, NoPermissionError, ResponseError) as error:
        # The broker's own words may repeat a rule, and with it a secret.
        detail = f"it refused to change its users ({type(error).__name__}); check the rights in BROKER_URL"
        raise UnavailableError(ErrorCode.BROKER_UNAVAILABLE, detail=detail) from None
    except (RedisConnectionError, RedisTimeoutError) as error:
        raise UnavailableError(ErrorCode.BROKER_UNAVAILABLE, detail=str(error)) from error
    except RedisError as error:
        raise UnavailableError(ErrorCode.BROKER_UNAVAILABLE, detail=type(error).__name__) from None
