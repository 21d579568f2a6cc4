"""How long work tells how far it is."""

from typing import Protocol


class Progress(Protocol):
    """Someone who watches."""

    def begin(self, what: str, total: int | None) -> None:
        """A step begins: what is done, and how many bytes it has, where that is known."""

    def advance(self, done: int) -> None:
        """That many more bytes are done."""


class Unwatched:
    """No one watches."""

    def begin(self, what: str, total: int | None) -> None:
        """Tell no one."""

    def advance(self, done: int) -> None:
        """Tell no one."""


UNWATCHED = Unwatched()
