"""Where attempts are right now, on its way to the control plane; losing some of it does no harm."""

import threading
from collections.abc import Callable, Iterable

from contract.clock import Clock
from contract.jobs import JobRef
from contract.phases import Phase
from contract.report import PhaseRecord, Progress, Wait

#: Bytes are told at most this often.
MIN_INTERVAL_SECONDS = 0.5
#: What waits beyond this is dropped, the oldest first.
MAX_WAITING = 1000
#: Each start of a phase has a range of sequence numbers of its own, so that they grow also across restarts.
_NUMBERS_PER_START = 1_000_000


class ProgressQueue:
    """Progress from the phase that makes it to the thread that sends it.

    Attributes:
        on_put: Called when something is to be sent.
    """

    def __init__(self, on_put: Callable[[], None] = lambda: None) -> None:
        self.on_put = on_put
        self._lock = threading.Lock()
        self._waiting: dict[tuple[JobRef, Phase, bool], Progress] = {}

    def put(self, progress: Progress) -> None:
        """Hand over; a newer one of the same phase replaces an older one that waits."""
        key = _key(progress)
        with self._lock:
            self._waiting.pop(key, None)
            self._waiting[key] = progress
            while len(self._waiting) > MAX_WAITING:
                del self._waiting[next(iter(self._waiting))]
        self.on_put()

    def put_back(self, items: Iterable[Progress]) -> None:
        """What could not be told and has to be: kept unless something newer of the same phase waits."""
        with self._lock:
            for item in items:
                self._waiting.setdefault(_key(item), item)

    def drain(self) -> tuple[Progress, ...]:
        """Take everything that waits."""
        with self._lock:
            taken = tuple(self._waiting.values())
            self._waiting.clear()
        return taken

    def __bool__(self) -> bool:
        return bool(self._waiting)


def _key(progress: Progress) -> tuple[JobRef, Phase, bool]:
    ref = JobRef(job_id=progress.job_id, generation=progress.generation, attempt=progress.attempt)
    return ref, progress.phase, progress.record is not None


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
        """The phase has moved bytes; told at most every half second, and at the end."""
        now = self._clock.monotonic()
        if done < total and now - self._last_told < MIN_INTERVAL_SECONDS:
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
            )
        )
