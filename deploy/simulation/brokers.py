"""All brokers that the devices of this process listen at."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from types import TracebackType
from typing import Self

from deploy.simulation.listening import Listening
from deploy.simulation.queues import Message
from worker.identity import Identity

#: More than any site has.
_MOST_BROKERS = 256


class Brokers:
    """Reads at each broker in a thread of its own: one that is down concerns only its devices.

    A broker is known from the first device on that is to listen there. Any thread may call; the devices are read for
    until the end of the block.

    Args:
        on_let_in: See `Listening`.
        on_message: See `Listening`.
        on_end: Told when the reading at one of them has ended, by an error or because all has.
    """

    def __init__(
        self,
        on_let_in: Callable[[Sequence[Identity]], None],
        on_message: Callable[[Message], None],
        on_end: Callable[[Future[None]], None],
    ) -> None:
        self._on_let_in = on_let_in
        self._on_message = on_message
        self._on_end = on_end
        self._pool = ThreadPoolExecutor(_MOST_BROKERS, thread_name_prefix="broker")
        self._at: dict[str, Listening] = {}
        self._opening = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for place in self._at.values():
            place.stop()
        self._pool.shutdown()

    def listen(self, device: Identity) -> None:
        """Have a device listen at its broker, as soon as that lets it in."""
        with self._opening:
            place = self._at.get(device.broker_url) or self._open(device.broker_url)
        place.admit(device)

    def leave(self, device: Identity) -> None:
        """Have a device listen at its broker no more."""
        self._at[device.broker_url].leave(device)

    def finish(self, message: Message) -> None:
        """Acknowledge a message where it was taken."""
        self._at[message.device.broker_url].finish(message)

    def _open(self, broker_url: str) -> Listening:
        place = self._at[broker_url] = Listening(broker_url, self._on_let_in, self._on_message)
        self._pool.submit(place.run).add_done_callback(self._on_end)
        return place
