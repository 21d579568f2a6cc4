"""A worker that does nothing but send to the devices of some shards, looking into the outbox itself."""

import signal
from collections.abc import Callable, Sequence
from functools import partial
from threading import Event
from typing import Final

from structlog import get_logger

from contract.errors import UnavailableError
from control.bootstrap import make_callers, make_publishers
from control.services import Services
from control.shards.addresses import BrokerShard
from control.work import call_now, dispatch_now

_log = get_logger(__name__)

#: Between two looks into the outbox; one that finds nothing reads a few rows of an index.
_LOOK_SECONDS: Final = 1.0


def send_until_stopped(services: Services, shards: Sequence[BrokerShard]) -> None:
    """Send what is due for the devices at these shards, and call them, until SIGTERM or SIGINT."""
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    publishers, callers = make_publishers(shards), make_callers(shards)
    _log.info("messages are sent from now on", shards=[shard.name for shard in shards])
    while not stopped.wait(_LOOK_SECONDS):
        _tried(partial(dispatch_now, services, publishers))
        _tried(partial(call_now, services, callers))


def _tried(send: Callable[[], None]) -> None:
    try:
        send()
    except UnavailableError as error:
        _log.warning("put off until the next look", error=str(error))
