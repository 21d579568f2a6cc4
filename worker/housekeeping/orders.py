"""Orders about jobs that the device has: heard at every check-in, and asked for while a phase takes its time."""

from collections.abc import Iterable

import structlog

from contract.errors import OutriderError
from contract.uplink import JobOrder
from worker.activity import Activity
from worker.cancelling import end_waiting_attempt
from worker.device import Device
from worker.housekeeping.duty import NEVER

_log = structlog.get_logger(__name__)

#: From one question for orders to the next while an attempt is under way; at rest none is asked.
INTERVAL_SECONDS = 15.0


class OrdersDuty:
    """Asks for orders while a phase runs, and writes down what is ordered; phases look there."""

    def __init__(self, device: Device, activity: Activity) -> None:
        self._device = device
        self._activity = activity
        self._clock = device.clock
        self._asked_at = float("-inf")

    def turn(self) -> float:
        """See `Duty.turn`."""
        busy_since = self._activity.busy_since
        if busy_since is None:
            return NEVER
        left = max(self._asked_at, busy_since) + INTERVAL_SECONDS - self._clock.monotonic()
        if left > 0:
            return left
        self._asked_at = self._clock.monotonic()
        self._ask()
        return INTERVAL_SECONDS

    def take(self, orders: Iterable[JobOrder]) -> None:
        """Write down what is ordered; what waits is ended at once, what runs at its next safe point."""
        for order in orders:
            if self._device.ledger.orders.put(order, now=self._device.clock.now()):
                _log.info("ordered", job=order.job_id, generation=order.generation, order=order.kind.value)
            end_waiting_attempt(self._device, order)

    def _ask(self) -> None:
        try:
            self.take(self._device.uplink.orders().orders)
        except OutriderError as error:
            _log.debug("orders could not be asked for", error=str(error))
