"""The broker's users of the control plane's parts: one for each part, with the least that part needs.

A site with a broker of its own gives its users the same rules; `python -m deploy.local broker-rules` prints them.
Devices' users are made by the control plane itself (`control.fleet.broker_users`).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from control.fleet.broker_users import EVENTS_CHANNEL

_NOBODY: Final = "resetchannels -@all resetkeys"
_CONNECT: Final = "+hello +auth +ping +select +client|setname +client|setinfo"
_TRANSACTION: Final = "+multi +exec +discard"
#: Events of database 0. A listener must be allowed the very pattern it listens to.
_EVENTS: Final = f"&{EVENTS_CHANNEL}"


class BrokerUser(StrEnum):
    """A part that has a broker user of its own; the user has the part's name."""

    #: Asks the workers to do what is due, and remembers the nonces of devices' requests.
    API = "api"
    #: Serves the control plane's own queue with kombu's bookkeeping, and sends to devices: it can count what it sent,
    #: not read it.
    WORKER = "worker"
    #: Asks the workers at regular times.
    SCHEDULER = "scheduler"
    #: Makes and removes devices' users, takes what waits for a device to another shard or away, and reads how often the
    #: broker refused somebody.
    #: Whoever may make users may make one of any rights: by its nature this is the broker's administrator, so the API
    #: alone knows its password.
    FLEET = "fleet"
    #: Listens to events and counts what waits.
    FLOWER = "flower"
    #: Asks whether the broker lives.
    HEALTH = "health"


#: What Flower may change are kombu's notes on who listens; what it may publish asks workers to send events, which
#: reaches nobody, but without it Flower would not start to listen.
_FLOWER_SELECTORS: Final = (
    "(-@all +sadd +srem +smembers ~_kombu.binding.celeryev ~_kombu.binding_permanent.celeryev)"
    " (-@all +llen +del ~celeryev.*) (-@all +publish &/0.celery.pidbox)"
)

#: kombu keeps what a worker has taken and not finished in `unacked`, its times in `unacked_index`, and who restores
#: what was lost in `unacked_mutex`.
_UNACKED: Final = (
    "(-@all +hset +hget +hdel +zadd +zrem +zrange +watch"
    " +set +get +del +evalsha ~unacked ~unacked_index ~unacked_mutex)"
)

RULES: Final[Mapping[BrokerUser, str]] = {
    BrokerUser.API: f"{_NOBODY} {_CONNECT} {_TRANSACTION} ~control +lpush +llen (-@all +set ~nonce.*)",
    BrokerUser.WORKER: (
        f"{_NOBODY} {_CONNECT} {_TRANSACTION} +unwatch +script|load"
        " ~control +lpush +rpush +llen +brpop +exists"
        f" {_EVENTS} +publish {_UNACKED}"
        " (-@all +lpush +llen %W~device.*) (-@all +llen ~processing.device.*)"
    ),
    BrokerUser.SCHEDULER: f"{_NOBODY} {_CONNECT} {_TRANSACTION} ~control +lpush +llen",
    BrokerUser.FLEET: (
        f"{_NOBODY} {_CONNECT} +acl|setuser +acl|deluser +acl|save +acl|users +info"
        " (-@all +del +lrange +lpos +rpush +lrem ~device.* ~processing.device.*)"
    ),
    BrokerUser.FLOWER: (
        f"{_NOBODY} {_CONNECT} {_TRANSACTION} +llen ~control* ~device.*"
        f" {_EVENTS} +subscribe +psubscribe +unsubscribe +punsubscribe {_FLOWER_SELECTORS}"
    ),
    BrokerUser.HEALTH: f"{_NOBODY} {_CONNECT}",
}
