"""Group commit: what arrives while a transaction is being committed goes into the next one together.

There is no thread of its own and no waiting for company: who comes first and finds nobody at work runs what is there,
himself included; who comes meanwhile waits for his turn, and mostly finds it done by then. So a single caller waits for
nobody, and under load the cost of a transaction is shared. Nobody is answered before the commit.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final, Generic, TypeVar

from structlog import get_logger

_log = get_logger(__name__)

ItemT = TypeVar("ItemT")
AnswerT = TypeVar("AnswerT")

#: Items in one transaction at most: it bounds how long the last of them waits.
_MOST: Final = 64


@dataclass(eq=False)
class _Waiting(Generic[ItemT, AnswerT]):
    """An item in line; `answer` is written before `is_done`, and stays None where it is to be done alone."""

    item: ItemT
    answer: AnswerT | None = None
    is_done: bool = False


class GroupCommit(Generic[ItemT, AnswerT]):
    """Runs items together, each answered as if it had been alone.

    Args:
        together: Does items in one transaction, waiting for nobody's locks, and answers each; None for one that has to
            be done alone. When it raises, nothing of any of them may be left.
        alone: Does one in a transaction of its own.
        most: Items in one transaction at most.
    """

    def __init__(
        self,
        together: Callable[[Sequence[ItemT]], Sequence[AnswerT | None]],
        alone: Callable[[ItemT], AnswerT],
        most: int = _MOST,
    ) -> None:
        self._together = together
        self._alone = alone
        self._most = most
        self._waiting: deque[_Waiting[ItemT, AnswerT]] = deque()
        self._turn = Lock()

    def run(self, item: ItemT) -> AnswerT:
        """The item's answer, once what it changed is committed.

        Raises:
            Exception: What doing it alone raised.
        """
        own: _Waiting[ItemT, AnswerT] = _Waiting(item)
        self._waiting.append(own)
        while not own.is_done:
            with self._turn:
                if not own.is_done:
                    self._run_some()
        # Outside of the turn: whoever has to wait for a lock, or fails, holds nobody else up.
        return self._alone(item) if own.answer is None else own.answer

    def _run_some(self) -> None:
        some = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]
        try:
            for one, answer in zip(some, self._together([one.item for one in some]), strict=True):
                one.answer = answer
        except Exception as error:  # noqa: BLE001  it belongs to one of them: each alone finds out whose
            _log.info("done one by one", items=len(some), error=type(error).__name__)
        finally:
            for one in some:
                one.is_done = True
