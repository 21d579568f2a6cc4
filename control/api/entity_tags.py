"""ETags: ask for a thing only if it has changed (304), change it only while it is as it was seen (412).

A tag is a digest of the thing as it is shown, so whatever changes the thing changes the tag; what follows from the
clock alone is left out of it, or a tag would hardly ever fit (`View.OUTSIDE_TAG`).
"""

from hashlib import sha256
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request, Response
from pydantic import BaseModel
from pydantic_core import to_json

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.views.base import View

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
    return f'"{sha256(to_json(_covered(view))).hexdigest()[:32]}"'


def _covered(value: Any) -> Any:
    """What a tag covers of a view, and of those within it."""
    match value:
        case View():
            names = type(value).model_fields.keys() - value.OUTSIDE_TAG
            return {name: _covered(getattr(value, name)) for name in sorted(names)}
        case tuple():
            return [_covered(part) for part in value]
        case _:
            return value


def _names(header: str | None, tag: str) -> bool:
    if header is None:
        return False
    # Proxies that compress answers make tags weak; the thing is the same.
    named = {part.strip().removeprefix("W/") for part in header.split(",")}
    return _ANY in named or tag in named
