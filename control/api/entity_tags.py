"""ETags: ask for a thing only if it has changed (304), change it only while it is as it was seen (412).

A tag is a digest of the thing as it is shown, so whatever changes what an operator sees changes the tag.
"""

from hashlib import sha256
from typing import Annotated, TypeVar

from fastapi import Depends, Request, Response
from pydantic import BaseModel

from contract.error_codes import ErrorCode
from contract.errors import InputError

ViewT = TypeVar("ViewT", bound=BaseModel)

_ANY = "*"


class NotModifiedError(Exception):
    """The asker has it already; not an error but the shortest way out of a route."""

    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.tag = tag


class EntityTag:
    """The conditions of one request, and the tag of its answer."""

    def __init__(self, request: Request, response: Response) -> None:
        self._request = request
        self._response = response

    def on(self, view: ViewT) -> ViewT:
        """Answer with the view and its tag.

        Raises:
            NotModifiedError: `If-None-Match` names the tag.
        """
        tag = tag_of(view)
        if _names(self._request.headers.get("if-none-match"), tag):
            raise NotModifiedError(tag)
        self._response.headers["ETag"] = tag
        return view

    def require(self, view: BaseModel) -> None:
        """Let a change pass only if the thing is still as `If-Match` says; call it in the transaction of the change.

        Raises:
            InputError: It is not.
        """
        expected = self._request.headers.get("if-match")
        tag = tag_of(view)
        if expected is not None and not _names(expected, tag):
            raise InputError(
                ErrorCode.PRECONDITION_FAILED, place="If-Match", detail=f"expected {expected}, found {tag}"
            )

    @property
    def is_conditional(self) -> bool:
        """Whether `If-Match` was sent, so that the thing has to be looked at."""
        return "if-match" in self._request.headers


TagDep = Annotated[EntityTag, Depends(EntityTag)]


def tag_of(view: BaseModel) -> str:
    """The tag of a thing as it is shown now."""
    return f'"{sha256(view.model_dump_json().encode()).hexdigest()[:32]}"'


def _names(header: str | None, tag: str) -> bool:
    if header is None:
        return False
    # Proxies that compress answers make tags weak; the thing is the same.
    named = {part.strip().removeprefix("W/") for part in header.split(",")}
    return _ANY in named or tag in named
