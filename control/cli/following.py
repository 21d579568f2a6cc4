"""Follow jobs: by the events of the control plane, or by asking again and again where there are none."""

import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

from contract.errors import OutriderError
from control.client.control_client import ControlClient
from control.views.job_selection import JobQuery
from control.views.status import JobSummary

#: From one question to the next, at least.
_INTERVAL_SECONDS: Final = 1.0
#: Questions may take up this share of the time: counting a large fleet is work for the database.
_SHARE: Final = 0.2
#: From one question to the next where no events come.
_POLLING_SECONDS: Final = 3.0


def summaries(client: ControlClient, query: JobQuery, *, deadline: float | None = None) -> Iterator[JobSummary]:
    """Where the jobs are: now, and again whenever one of them may have changed.

    Args:
        client: The control plane.
        query: Which jobs.
        deadline: By `time.monotonic`; what is asked last is asked then.
    """
    yield client.summary(query)
    with _Changes(client, query) as changes:
        took = 0.0
        while True:
            is_last = not changes.wait(max(_INTERVAL_SECONDS, took / _SHARE), deadline)
            begun = time.monotonic()
            summary = client.summary(query)
            took = time.monotonic() - begun
            yield summary
            if is_last:
                return


class _Changes:
    """Listens in a thread of its own, so that many changes in a short time lead to one question."""

    def __init__(self, client: ControlClient, query: JobQuery) -> None:
        self._client = client
        self._query = query
        self._changed = threading.Event()
        # What has changed since the first question and before the first event would go unnoticed.
        self._changed.set()
        self._stopping = threading.Event()
        # It may be reading when the command ends; nothing waits for it.
        self._thread = threading.Thread(target=self._listen, name="events", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()

    def wait(self, seconds: float, deadline: float | None) -> bool:
        """Wait at least so long, and for a change.

        Returns:
            Whether the deadline has not come.
        """
        time.sleep(_until(seconds, deadline))
        self._changed.wait(None if deadline is None else _until(deadline - time.monotonic(), deadline))
        self._changed.clear()
        return deadline is None or time.monotonic() < deadline

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                for _ in self._client.job_events(self._query):
                    self._changed.set()
            except OutriderError:
                # The question says what is wrong, if anything is but the events.
                self._stopping.wait(_POLLING_SECONDS)
            self._changed.set()


def _until(seconds: float, deadline: float | None) -> float:
    rest = seconds if deadline is None else min(seconds, deadline - time.monotonic())
    return max(0.0, rest)
