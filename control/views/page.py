"""One answer's worth of a list."""

from typing import Final, Generic, TypeVar

from control.views.base import View

ItemT = TypeVar("ItemT")

#: Entries of one answer, unless another number is asked for.
PAGE_ENTRIES: Final = 100
MAX_PAGE_ENTRIES: Final = 1000


class Page(View, Generic[ItemT]):
    """Some entries of a list that may be long.

    Attributes:
        next_cursor: What to ask for the entries that follow with; None where these were the last.
    """

    items: tuple[ItemT, ...]
    next_cursor: str | None = None
