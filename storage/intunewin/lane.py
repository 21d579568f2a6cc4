"""Work on a stream of chunks beside the main thread: hashing and ciphers release the interpreter lock."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

#: Chunks that may wait, so that memory stays bounded.
_DEPTH = 4


class Lane:
    """Calls one function for each chunk, in order, in a thread of its own.

    As a context manager it ends when every chunk fed to it is done; what the function raised is raised again there.
    """

    def __init__(self, consume: Callable[[bytes], object]) -> None:
        self._consume = consume
        self._executor = ThreadPoolExecutor(max_workers=1)
        self._waiting: deque[Future[object]] = deque()

    def feed(self, chunk: bytes) -> None:
        """Hand on a chunk that no one changes any more; waits while too many are waiting."""
        if len(self._waiting) >= _DEPTH:
            self._waiting.popleft().result()
        self._waiting.append(self._executor.submit(self._consume, chunk))

    def drain(self) -> None:
        """Wait until every chunk is done."""
        while self._waiting:
            self._waiting.popleft().result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.drain()
        finally:
            self._executor.shutdown(cancel_futures=True)
