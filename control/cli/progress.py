"""A progress bar on a terminal, and nothing anywhere else."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as RichProgress

from storage.intunewin.progress import UNWATCHED, Progress

_COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    DownloadColumn(binary_units=True),
    TransferSpeedColumn(),
    TimeRemainingColumn(),
)


class BytesBar:
    """Shows each step of long work as a bar of its own."""

    def __init__(self, bars: RichProgress, expected: int | None) -> None:
        self._bars = bars
        self._expected = expected
        self._task: TaskID | None = None

    def begin(self, what: str, total: int | None) -> None:
        """Show a new bar."""
        self._task = self._bars.add_task(what, total=total if total is not None else self._expected)

    def advance(self, done: int) -> None:
        """Move the bar that was shown last."""
        if self._task is not None:
            self._bars.advance(self._task, done)


def on_terminal() -> bool:
    """Whether standard error is a terminal."""
    return Console(stderr=True).is_terminal


@contextmanager
def bytes_bar(*, wanted: bool, expected: int | None = None) -> Iterator[Progress]:
    """Show bars while the block runs, where they are wanted and standard error is a terminal.

    Args:
        wanted: Whether to show anything.
        expected: Bytes of a step that does not know them itself.
    """
    if not (wanted and on_terminal()):
        yield UNWATCHED
        return
    with RichProgress(*_COLUMNS, console=Console(stderr=True), transient=True) as bars:
        yield BytesBar(bars, expected)
