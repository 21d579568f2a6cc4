"""A TCP proxy that does to a connection what networks do: delay, cut, half-open, drip, refuse.

It runs in a thread of its own; every method may be called from any thread and has taken effect when it returns.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

from deploy.local.ports import HOST

ResultT = TypeVar("ResultT")

_CHUNK_BYTES = 64 * 1024
#: How long a method waits for the proxy's thread.
_ANSWER_SECONDS = 10
#: With this a closed socket sends RST instead of FIN.
_RESET = struct.pack("ii", 1, 0)
_END_OF_HEAD = b"\r\n\r\n"


class Direction(Enum):
    """Which way bytes go."""

    #: From who connected to the server behind the proxy.
    TO_SERVER = "to server"
    TO_CLIENT = "to client"


@dataclass
class _Weather:
    """What happens to bytes at the moment."""

    delay_seconds: float = 0.0
    bytes_per_second: int | None = None
    cut_after: dict[Direction, int] = field(default_factory=dict)
    answer: bytes | None = None


class _Cut(Exception):  # noqa: N818  it is an order, not an error
    """The connection has carried as many bytes as it may."""


class _Link:
    """One connection through the proxy."""

    def __init__(self, weather: _Weather, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self._weather = weather
        self._writers = {Direction.TO_CLIENT: client, Direction.TO_SERVER: server}
        self._passed = dict.fromkeys(Direction, 0)
        self._dead = asyncio.Event()
        self.is_silent = False

    async def carry(self, from_client: asyncio.StreamReader, from_server: asyncio.StreamReader) -> None:
        """Forward both ways until both have ended or the link is cut; a silent link stays until it is cut."""
        pumps = [
            asyncio.create_task(self._pump(from_client, Direction.TO_SERVER)),
            asyncio.create_task(self._pump(from_server, Direction.TO_CLIENT)),
        ]
        dead = asyncio.create_task(self._dead.wait())
        both = asyncio.gather(*pumps, return_exceptions=True)
        ways_to_end: list[asyncio.Future[Any]] = [both, dead]
        await asyncio.wait(ways_to_end, return_when=asyncio.FIRST_COMPLETED)
        if self.is_silent:
            await dead
        for task in (*pumps, dead):
            task.cancel()
        await asyncio.gather(both, dead, return_exceptions=True)
        for writer in self._writers.values():
            writer.close()

    def cut(self) -> None:
        """Reset both ends now."""
        for writer in self._writers.values():
            _reset(writer)
        self._dead.set()

    async def _pump(self, reader: asyncio.StreamReader, direction: Direction) -> None:
        writer = self._writers[direction]
        try:
            while chunk := await reader.read(self._size()):
                await asyncio.sleep(self._seconds(len(chunk)))
                if not self.is_silent:
                    await self._pass_on(chunk, direction)
            if not self.is_silent:
                writer.write_eof()
        except (_Cut, OSError):
            if not self.is_silent:
                self.cut()

    async def _pass_on(self, chunk: bytes, direction: Direction) -> None:
        limit = self._weather.cut_after.get(direction)
        allowed = chunk if limit is None else chunk[: max(0, limit - self._passed[direction])]
        self._passed[direction] += len(allowed)
        self._writers[direction].write(allowed)
        await self._writers[direction].drain()
        if limit is not None and self._passed[direction] >= limit:
            raise _Cut

    def _size(self) -> int:
        # A slow link brings a little often, not a lot now and then.
        rate = self._weather.bytes_per_second
        return _CHUNK_BYTES if rate is None else max(1, rate // 10)

    def _seconds(self, size: int) -> float:
        rate = self._weather.bytes_per_second
        return self._weather.delay_seconds + (0.0 if rate is None else size / rate)


class FaultProxy:
    """Stands before a server on this machine.

    Args:
        target: The port of the server.
        port: Where the proxy listens; 0 chooses one.
    """

    def __init__(self, target: int, *, port: int = 0) -> None:
        self.port = port
        self._target = target
        self._weather = _Weather()
        self._links: set[_Link] = set()
        self._cuts = 0
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)

    def start(self) -> None:
        """Listen and forward."""
        self._thread.start()
        self._call(self._listen())

    def stop(self) -> None:
        """Reset what is open and end."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def connections(self) -> int:
        """How many are open, silent ones included."""
        return len(self._links)

    def forward(self) -> None:
        """Calm weather, for new bytes and new connections; silent connections stay silent."""
        self._call(self._forward())

    def delay(self, seconds: float) -> None:
        """Every piece of data takes this much longer, each way."""
        self._weather.delay_seconds = seconds

    def drip(self, bytes_per_second: int) -> None:
        """Data comes slowly, each way."""
        self._weather.bytes_per_second = bytes_per_second

    def cut(self) -> None:
        """Reset every open connection now; new ones work."""
        self._call(self._cut())

    def cut_after(self, count: int, direction: Direction) -> None:
        """Reset each connection once it has carried so many bytes this way, counted from its beginning."""
        self._weather.cut_after[direction] = count

    def half_open(self) -> None:
        """Open connections carry nothing any more and nobody is told; new ones work."""
        self._call(self._half_open())

    def refuse(self) -> None:
        """Reset what is open and refuse new connections, until `forward`."""
        self._call(self._refuse())

    def answer(self, reply: bytes) -> None:
        """Reset what is open and answer each request of new connections with this, the server not asked."""
        self._weather.answer = reply
        self.cut()

    def _call(self, work: Coroutine[None, None, ResultT]) -> ResultT:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_ANSWER_SECONDS)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, HOST, self.port, limit=_CHUNK_BYTES)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _forward(self) -> None:
        self._weather.delay_seconds, self._weather.bytes_per_second = 0.0, None
        self._weather.answer = None
        self._weather.cut_after.clear()
        await self._listen()

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._cut()

    async def _cut(self) -> None:
        self._cuts += 1
        for link in list(self._links):
            link.cut()

    async def _half_open(self) -> None:
        for link in self._links:
            link.is_silent = True

    async def _end(self) -> None:
        await self._refuse()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._weather.answer is not None:
            await _answer(reader, writer, self._weather.answer)
            return
        cuts = self._cuts
        try:
            from_server, to_server = await asyncio.open_connection(HOST, self._target, limit=_CHUNK_BYTES)
        except OSError:
            _reset(writer)
            return
        if cuts != self._cuts or self._server is None:
            # It was open, and no link yet, as all were cut.
            _reset(writer)
            _reset(to_server)
            return
        link = _Link(self._weather, writer, to_server)
        self._links.add(link)
        try:
            # A proxy that stops cancels what is open; that is no error to be told of.
            with suppress(asyncio.CancelledError):
                await link.carry(reader, from_server)
        finally:
            self._links.discard(link)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reply: bytes) -> None:
    with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        await reader.readuntil(_END_OF_HEAD)
        writer.write(reply)
        writer.write_eof()
        while await reader.read(_CHUNK_BYTES):
            pass
    writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


@contextmanager
def fault_proxy(target: int) -> Iterator[FaultProxy]:
    """A running proxy before the server at this port."""
    proxy = FaultProxy(target)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
