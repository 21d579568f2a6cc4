"""How a request says which part of a list it wants."""

from typing import Annotated

from fastapi import Depends, Query

from control.answers.pages import PageRequest
from control.views.page import MAX_PAGE_ENTRIES, PAGE_ENTRIES

#: Longer than any cursor this side makes.
_MAX_CURSOR_LENGTH = 4000


def page_request(
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE_ENTRIES, description="Entries of the answer.")] = PAGE_ENTRIES,
    cursor: Annotated[
        str | None,
        Query(max_length=_MAX_CURSOR_LENGTH, description="The `next_cursor` of the page before; without it the first."),
    ] = None,
) -> PageRequest:
    """The part of the list that is wanted."""
    return PageRequest(limit=limit, cursor=cursor)


PageDep = Annotated[PageRequest, Depends(page_request)]
