"""Where attempts are right now, on its way to the control plane; losing some of it does no harm."""

import threading
from collections.abc import Callable, Iterable
from typing import NamedTuple

from contract.clock import Clock
from contract.jobs import JobRef
from contract.phases import PHASES, Phase
from contract.report import PhaseRecord, Progress, Wait

#: Progress is told at most this often, and of a phase that lasts so long: an attempt that never stays in one phase for
#: this time, and is soon over, sends its report and nothing else.
INTERVAL_SECONDS = 1.0
#: What quicker phases have to tell waits for one that lasts, but no longer than this.
QUICK_PHASES_SECONDS = 5.0
#: What waits beyond this is dropped, the oldest first.
MAX_WAITING = 1000
#: Each start of a phase has a range of sequence numbers of its own, so that they grow also across restarts.
_NUMBERS_PER_START = 1_000_000


#: The newest word about a phase says all that older ones did. Job, generation, attempt, phase.
_Key = tuple[str, int, int, Phase]


class _Word(NamedTuple):
    """Progress that waits to be told, and until when it may at the longest."""

    latest: float
    progress: Progress


class ProgressQueue:
    """Progress from the phase that makes it to the thread that sends it.

    Attributes:
        on_news: Called when that thread has something to look at that it does not know of yet.
    """

    def __init__(self, on_news: Callable[[], None] = lambda: None) -> None:
        self.on_news = on_news
        self._lock = threading.Lock()
        self._waiting: dict[_Key, _Word] = {}
        self._lasts_at = float("-inf")

    def put(self, progress: Progress, *, now: float) -> None:
        """Hand over; a newer one of the same phase replaces an older one that waits.

        Args:
            progress: What to tell: a wait at once, all else when its phase has lasted for `INTERVAL_SECONDS`, or
                another one has, within `QUICK_PHASES_SECONDS` in any case.
            now: By the monotonic clock.
        """
        key = _key(progress)
        latest = now if progress.waiting is not None else now + QUICK_PHASES_SECONDS
        with self._lock:
            is_news = progress.waiting is not None or not self._waiting
            replaced = self._waiting.pop(key, None)
            if replaced is None:
                self._lasts_at = now + INTERVAL_SECONDS
            self._waiting[key] = _Word(latest if replaced is None else min(latest, replaced.latest), progress)
            while len(self._waiting) > MAX_WAITING:
                del self._waiting[next(iter(self._waiting))]
        if is_news:
            self.on_news()

    def put_back(self, items: Iterable[Progress]) -> None:
        """What could not be told and has to be: kept unless something newer of the same phase waits."""
        with self._lock:
            for item in items:
                self._waiting.setdefault(_key(item), _Word(float("-inf"), item))

    def forget(self, ref: JobRef) -> None:
        """Drop what waits of an attempt: its report says all of it."""
        with self._lock:
            for phase in PHASES:
                self._waiting.pop((ref.job_id, ref.generation, ref.attempt, phase), None)

    def due_at(self) -> float | None:
        """When something is to be told, by the monotonic clock; None where nothing waits."""
        with self._lock:
            latest = min((word.latest for word in self._waiting.values()), default=None)
            return None if latest is None else min(latest, self._lasts_at)

    def drain(self) -> tuple[Progress, ...]:
        """Take everything that waits."""
        with self._lock:
            taken = tuple(word.progress for word in self._waiting.values())
            self._waiting.clear()
        return taken

    def __bool__(self) -> bool:
        return bool(self._waiting)


def _key(progress: Progress) -> _Key:
    return progress.job_id, progress.generation, progress.attempt, progress.phase


class PhaseReporter:
    """Tells how one run of one phase goes."""

    def __init__(self, queue: ProgressQueue, clock: Clock, ref: JobRef, phase: Phase, starts: int) -> None:
        self._queue = queue
        self._clock = clock
        self._ref = ref
        self._phase = phase
        self._sequence = starts * _NUMBERS_PER_START
        self._last_told = float("-inf")

    def started(self) -> None:
        """The phase begins."""
        self._put()

    def on_bytes(self, done: int, total: int) -> None:
        """The phase has moved bytes; told at most once a second, and at the end."""
        now = self._clock.monotonic()
        if done < total and now - self._last_told < INTERVAL_SECONDS:
            return
        self._last_told = now
        self._put(bytes_done=done, bytes_total=total)

    def ended(self, record: PhaseRecord) -> None:
        """The phase has ended."""
        self._put(bytes_done=record.bytes_done, bytes_total=record.bytes_done, record=record)

    def waits(self, wait: Wait) -> None:
        """The phase waits."""
        self._put(waiting=wait)

    def _put(
        self,
        *,
        bytes_done: int = 0,
        bytes_total: int = 0,
        record: PhaseRecord | None = None,
        waiting: Wait | None = None,
    ) -> None:
        self._sequence += 1
        self._queue.put(
            Progress(
                job_id=self._ref.job_id,
                generation=self._ref.generation,
                attempt=self._ref.attempt,
                sequence=self._sequence,
                phase=self._phase,
                at=self._clock.now(),
                bytes_done=bytes_done,
                bytes_total=bytes_total,
                record=record,
                waiting=waiting,
            ),
            now=self._clock.monotonic(),
        )
