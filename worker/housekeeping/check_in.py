"""Checking in: at start, at every interval, and again soon after one that failed (behaviour 2.2, N-01)."""

import threading
from collections.abc import Callable
from random import Random

import structlog

from contract.clock import Clock
from contract.errors import OutriderError
from contract.uplink import CheckIn, CheckInReason, CheckInReply
from worker.device import Device
from worker.rules.backoff import growing_wait
from worker.uplink.port import Uplink

_log = structlog.get_logger(__name__)

#: However often the device is called, its check-ins keep this distance.
CALL_INTERVAL_SECONDS = 10.0
#: A check-in comes up to this part of the interval earlier or later, so that a fleet spreads out.
JITTER = 0.1


def message_of(device: Device, reason: CheckInReason) -> CheckIn:
    """What a device says of itself: what it is, how far its memory goes, what it did not let in, where it listens."""
    return CheckIn(
        reason=reason,
        facts=device.machine.platform.facts(),
        remembers_until=device.ledger.attempts.newest_opened_at(),
        refused_messages=device.refused_messages.total,
        broker_url=device.identity.broker_url,
    )


class CheckInDuty:
    """Says that the device is there.

    Args:
        message: What to say for a reason; asked anew at each check-in.
        interval_seconds: Between two check-ins, until the control plane asks for another interval.
        fixed_interval: The interval was set on this device; what the control plane asks for is ignored.
        on_reply: Told what the control plane answered, at each check-in.
    """

    def __init__(
        self,
        uplink: Uplink,
        message: Callable[[CheckInReason], CheckIn],
        clock: Clock,
        random: Random,
        *,
        interval_seconds: float,
        fixed_interval: bool = False,
        on_reply: Callable[[CheckInReply], None] = lambda _reply: None,
    ) -> None:
        self._on_reply = on_reply
        self._uplink = uplink
        self._message = message
        self._clock = clock
        self._random = random
        self._interval_seconds = interval_seconds
        self._fixed_interval = fixed_interval
        self._reason = CheckInReason.AGENT_RESTART
        self._failures = 0
        self._due = clock.monotonic()
        self._checked_in_at = float("-inf")
        self._called = threading.Event()

    def call(self) -> None:
        """Check in at the next turn, or as soon as the distance allows; any thread may ask."""
        self._called.set()

    def turn(self) -> float:
        """See `Duty.turn`."""
        if self._called.is_set():
            soonest = self._checked_in_at + CALL_INTERVAL_SECONDS
            self._due = min(self._due, max(soonest, self._clock.monotonic()))
        if self._clock.monotonic() >= self._due:
            self._due = self._clock.monotonic() + self._check_in()
        return max(0.0, self._due - self._clock.monotonic())

    def _check_in(self) -> float:
        if self._called.is_set() and self._reason is CheckInReason.MAINTENANCE_TIMER:
            self._reason = CheckInReason.PUSH
        self._called.clear()
        self._checked_in_at = self._clock.monotonic()
        try:
            reply = self._uplink.check_in(self._message(self._reason))
        except OutriderError as error:
            self._failures += 1
            wait_seconds = growing_wait(self._failures)
            _log.warning("the check-in failed", error=str(error), wait_seconds=wait_seconds)
            return min(wait_seconds, self._interval_seconds)
        self._failures = 0
        self._reason = CheckInReason.MAINTENANCE_TIMER
        if not self._fixed_interval:
            self._interval_seconds = reply.check_in_interval_seconds
        _log.info("checked in", jobs_sent=reply.jobs_sent)
        self._on_reply(reply)
        return self._interval_seconds * self._random.uniform(1 - JITTER, 1 + JITTER)
