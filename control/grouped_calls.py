"""Calls that arrive while others of their kind are being made are made next, together.

Who comes after a quiet moment is served at once, alone; who comes meanwhile goes with the next group. Groups keep a
pace: under load each begins some milliseconds after the one before it at the earliest, so that it is worth its cost,
which is a transaction, a query or a round trip. The event loop collects the calls; one thread makes them, group after
group, so that a caller costs no thread of its own. Nobody is answered before his group is done.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Final, Generic, TypeVar

from starlette.concurrency import run_in_threadpool
from structlog import get_logger

_log = get_logger(__name__)

ItemT = TypeVar("ItemT")
AnswerT = TypeVar("AnswerT")

#: Items in one group at most: it bounds how long the last of them waits.
_MOST: Final = 64
#: Seconds from the begin of a group to the begin of the next one at least.
_PACE_SECONDS: Final = 0.01


@dataclass(eq=False)
class _Waiting(Generic[ItemT, AnswerT]):
    """An item in line; it is answered with None where it is to be done alone."""

    item: ItemT
    loop: asyncio.AbstractEventLoop
    answered: "asyncio.Future[AnswerT | None]"


class GroupedCalls(Generic[ItemT, AnswerT]):
    """Makes calls together, each answered as if it had been alone; any number of event loops may call.

    Args:
        name: Of the thread.
        together: Does items together, waiting for nobody's locks, and answers each; None for one that has to be done
            alone. When it raises, nothing of any of them may be left.
        alone: Does one by itself.
        pace_seconds: From the begin of a group to the begin of the next one, at least.
        most: Items of one group at most.
    """

    def __init__(
        self,
        name: str,
        together: Callable[[Sequence[ItemT]], Sequence[AnswerT | None]],
        alone: Callable[[ItemT], AnswerT],
        *,
        pace_seconds: float = _PACE_SECONDS,
        most: int = _MOST,
    ) -> None:
        self._together = together
        self._alone = alone
        self._pace_seconds = pace_seconds
        self._most = most
        self._waiting: deque[_Waiting[ItemT, AnswerT]] = deque()
        self._is_at_work = False
        self._begun_at = -pace_seconds
        self._lock = Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def call(self, item: ItemT) -> AnswerT:
        """The item's answer, once its group is done.

        Raises:
            Exception: What doing it alone raised.
        """
        loop = asyncio.get_running_loop()
        own: _Waiting[ItemT, AnswerT] = _Waiting(item, loop, loop.create_future())
        with self._lock:
            self._waiting.append(own)
            is_first, self._is_at_work = not self._is_at_work, True
        if is_first:
            self._thread.submit(self._work)
        answer = await own.answered
        # Outside of the group: whoever has to wait for a lock, or fails, holds nobody else up.
        return await run_in_threadpool(self._alone, item) if answer is None else answer

    def _work(self) -> None:
        while self._is_anybody_waiting():
            time.sleep(max(0.0, self._begun_at + self._pace_seconds - time.monotonic()))
            self._begun_at = time.monotonic()
            group = self._next_group()
            _answer(group, self._answers([one.item for one in group]))

    def _is_anybody_waiting(self) -> bool:
        with self._lock:
            self._is_at_work = bool(self._waiting)
            return self._is_at_work

    def _next_group(self) -> Sequence[_Waiting[ItemT, AnswerT]]:
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]

    def _answers(self, items: Sequence[ItemT]) -> Sequence[AnswerT | None]:
        try:
            return self._together(items)
        except Exception as error:  # noqa: BLE001  it belongs to one of them: each alone finds out whose
            _log.info("done one by one", items=len(items), error=type(error).__name__)
            return [None] * len(items)


def _answer(group: Sequence[_Waiting[ItemT, AnswerT]], answers: Sequence[AnswerT | None]) -> None:
    """Wake each event loop once, whoever of its callers are answered."""
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[AnswerT | None], AnswerT | None]]]
    by_loop = defaultdict(list)
    for one, answer in zip(group, answers, strict=True):
        by_loop[one.loop].append((one.answered, answer))
    for loop, answered in by_loop.items():
        try:
            loop.call_soon_threadsafe(_tell, answered)
        except RuntimeError:
            _log.info("nobody is there to be answered any more", items=len(answered))


def _tell(answered: Sequence[tuple["asyncio.Future[AnswerT | None]", AnswerT | None]]) -> None:
    for future, answer in answered:
        # Whoever was cancelled meanwhile hears nothing.
        if not future.done():
            future.set_result(answer)
