"""What the API does again and again about the broker's users: it never keeps the broker busy with it."""

import time
from threading import Event

from contract.error_codes import ErrorCode
from contract.errors import UnavailableError
from control.fleet.broker_upkeep import BrokerUpkeep

_SECONDS = 60
_LONG = 0.1


def test_a_long_step_is_followed_by_a_long_rest() -> None:
    ended: list[float] = []
    begun: list[float] = []
    enough = Event()

    def step() -> int:
        begun.append(time.monotonic())
        time.sleep(_LONG)
        ended.append(time.monotonic())
        if len(ended) == 2:
            enough.set()
        return 1

    upkeep = BrokerUpkeep("was done", step, 0.01)
    upkeep.start()
    assert enough.wait(_SECONDS)
    upkeep.stop()
    assert begun[1] - ended[0] > 10 * _LONG


def test_a_step_that_fails_is_tried_again() -> None:
    tries: list[int] = []
    enough = Event()

    def step() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise UnavailableError(ErrorCode.BROKER_UNAVAILABLE)
        if len(tries) == 2:
            raise LookupError
        enough.set()
        return 0

    upkeep = BrokerUpkeep("was done", step, 0.01)
    upkeep.start()
    assert enough.wait(_SECONDS)
    upkeep.stop()
