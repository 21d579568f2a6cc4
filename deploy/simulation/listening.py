"""One broker: which devices of this process listen there, and the reading of their queues."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Event

from structlog import get_logger

from contract.errors import UnavailableError
from deploy.simulation.queues import DeviceQueues, Message
from worker.identity import Identity

_log = get_logger(__name__)

#: From one look into the queues to the next, at least.
POLL_SECONDS = 0.5
#: A look that takes longer, with many devices, is followed by a rest of so many times its length.
_REST = 40
#: From a failed try to the next.
_AGAIN_SECONDS = 2.0


class Listening:
    """Reads the queues at one broker in the thread that calls `run`; any thread may call the rest.

    Args:
        broker_url: Where the broker is.
        on_let_in: Told which devices the broker has let in, again after each loss of it; their messages come later.
        on_message: Told each message that was taken.
    """

    def __init__(
        self,
        broker_url: str,
        on_let_in: Callable[[Sequence[Identity]], None],
        on_message: Callable[[Message], None],
    ) -> None:
        self._broker_url = broker_url
        self._queues = DeviceQueues(broker_url)
        self._on_let_in = on_let_in
        self._on_message = on_message
        self._stopped = Event()
        self._leaving: deque[Identity] = deque()
        self._coming: deque[Identity] = deque()
        self._finished: deque[Message] = deque()
        self._outside: dict[str, Identity] = {}
        self._inside: dict[str, Identity] = {}

    def admit(self, device: Identity) -> None:
        """Read for a device as soon as the broker lets it in."""
        self._coming.append(device)

    def leave(self, device: Identity) -> None:
        """Read for a device no more."""
        self._leaving.append(device)

    def finish(self, message: Message) -> None:
        """Acknowledge a message that was taken here."""
        self._finished.append(message)

    def stop(self) -> None:
        """End at the next chance."""
        self._stopped.set()

    def run(self) -> None:
        """Read until `stop`."""
        while not self._stopped.is_set():
            begun = time.monotonic()
            try:
                self._look()
                rest_seconds = max(POLL_SECONDS, (time.monotonic() - begun) * _REST)
            except UnavailableError as error:
                _log.warning("a broker does not answer", broker=self._broker_url, error=str(error))
                self._outside, self._inside = self._inside | self._outside, {}
                rest_seconds = _AGAIN_SECONDS
            self._stopped.wait(rest_seconds)
        self._queues.close()

    def _look(self) -> None:
        self._heed()
        let_in = self._queues.take_back(list(self._outside.values()))
        for device in let_in:
            self._inside[device.device_id] = self._outside.pop(device.device_id)
        if let_in:
            self._on_let_in(let_in)
        for message in self._queues.take(list(self._inside.values())):
            self._on_message(message)
        # One that is not acknowledged now is taken back later, and the device's ledger knows it.
        self._queues.finish([self._finished.popleft() for _ in range(len(self._finished))])

    def _heed(self) -> None:
        """Who goes and who comes; a device that comes back has gone before."""
        while self._leaving:
            device = self._leaving.popleft()
            for devices in (self._inside, self._outside):
                devices.pop(device.device_id, None)
            self._queues.forget(device)
        while self._coming:
            device = self._coming.popleft()
            if device.device_id not in self._inside:
                self._outside[device.device_id] = device
