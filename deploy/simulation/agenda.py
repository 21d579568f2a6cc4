"""Whose turn it is: things that are due at times, each in one thread's hands at a time."""

import heapq
import math
import time
from collections.abc import Hashable
from threading import Condition
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)


class Agenda(Generic[KeyT]):
    """Times by key, on the machine's monotonic clock; safe for use by several threads."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._due: dict[KeyT, float] = {}
        self._heap: list[tuple[float, int, KeyT]] = []
        self._in_hand: dict[KeyT, float] = {}
        self._entries = 0
        self._stopped = False

    def put(self, key: KeyT, due: float) -> None:
        """Have it due at a time, unless it is before; while it is in somebody's hands, not until it is laid down."""
        with self._changed:
            if key in self._in_hand:
                self._in_hand[key] = min(due, self._in_hand[key])
            else:
                self._enter(key, due)

    def take(self) -> KeyT | None:
        """Wait for what is due next and take it into one's hands; None once all is over."""
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
                    heapq.heappop(self._heap)
                if self._heap and self._heap[0][0] <= now:
                    _, _, key = heapq.heappop(self._heap)
                    del self._due[key]
                    self._in_hand[key] = math.inf
                    return key
                self._changed.wait(self._heap[0][0] - now if self._heap else None)
        return None

    def lay_down(self, key: KeyT, due: float) -> None:
        """Give it back, due again at a time, or at the earlier one that was asked for meanwhile."""
        with self._changed:
            self._enter(key, min(due, self._in_hand.pop(key)))

    def stop(self) -> None:
        """All is over: nobody waits any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _enter(self, key: KeyT, due: float) -> None:
        if due >= self._due.get(key, math.inf):
            return
        self._due[key] = due
        self._entries += 1
        heapq.heappush(self._heap, (due, self._entries, key))
        self._changed.notify()
