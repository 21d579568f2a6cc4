"""Results in order from several threads, with a bounded number of tasks under way."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

T = TypeVar("T")


def windowed(executor: Executor, tasks: Iterable[Callable[[], T]], *, width: int) -> Iterator[T]:
    """Run the tasks, at most `width` ahead of the result that is asked for; results come in the tasks' order."""
    waiting: deque[Future[T]] = deque()
    try:
        for task in tasks:
            waiting.append(executor.submit(task))
            if len(waiting) > width:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
