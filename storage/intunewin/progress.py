"""How long work tells how far it is."""

from collections.abc import Callable

#: Told the number of bytes that were just done.
Progress = Callable[[int], None]


def no_progress(_done: int) -> None:
    """Tell no one."""
