"""How the API is asked and its answers are understood, whatever they are about."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import AnyHttpUrl, BaseModel, TypeAdapter, ValidationError

from contract.error_codes import ErrorCode
from contract.errors import InputError, OutriderError, UnavailableError
from contract.secure_addresses import tls_context
from control.client.refusals import refusal
from control.views.page import MAX_PAGE_ENTRIES, Page

ModelT = TypeVar("ModelT", bound=BaseModel)

_CONNECT_SECONDS: Final = 5
#: The content store may take a while to take a large package in.
_ANSWER_SECONDS: Final = 600


@dataclass(frozen=True)
class Tagged(Generic[ModelT]):
    """A thing, and the tag that names it as it was then, without its quotes."""

    view: ModelT
    tag: str


class Requests:
    """Requests to the control plane in the name of one operator.

    Every method raises:
        UnavailableError: The control plane does not answer, or one of its parts does not.
        TrustError: The token is refused, or its role is too low.
        NotFoundError: A name stands for nothing.
        InputError: Something else about the request is wrong.
        OutriderError: The control plane failed.

    Making one raises:
        InputError: The URL is no address.
    """

    def __init__(self, url: str, token: str, *, transport: httpx.BaseTransport | None = None) -> None:
        timeout = httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS)
        headers = {"Authorization": f"Bearer {token}"}
        self.http = httpx.Client(
            base_url=_address(url), headers=headers, timeout=timeout, transport=transport, verify=tls_context()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.http.close()

    def send(
        self, kind: type[ModelT], path: str, body: BaseModel, *, method: str = "POST", if_match: str | None = None
    ) -> ModelT:
        """Send a body; what is answered. With a tag, only while the thing is as the tag says."""
        headers = {"Content-Type": "application/json", **only_if(if_match)}
        return self.one(kind, method, path, content=body.model_dump_json(), headers=headers)

    def one(self, kind: type[ModelT], method: str, path: str, **options: Any) -> ModelT:
        """Ask for one thing."""
        response = self.request(method, path, **options)
        with _understood(response):
            return kind.model_validate_json(response.content)

    def tagged(self, kind: type[ModelT], path: str) -> Tagged[ModelT]:
        """Ask for one thing and the tag that names it as it is now."""
        response = self.request("GET", path)
        with _understood(response):
            tag = response.headers.get("etag", "").removeprefix("W/").strip('"')
            return Tagged(kind.model_validate_json(response.content), tag)

    def pages(self, kind: type[ModelT], path: str, **params: Any) -> Iterator[ModelT]:
        """The entries of a list, page by page as they are taken; parameters that are None are left out."""
        given = {name: value for name, value in params.items() if value is not None}
        cursor: str | None = None
        while True:
            part = {"limit": MAX_PAGE_ENTRIES} if cursor is None else {"limit": MAX_PAGE_ENTRIES, "cursor": cursor}
            page = self.one(Page[kind], "GET", path, params=given | part)  # type: ignore[valid-type]  # at run time
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def many(self, kind: type[ModelT], path: str, **options: Any) -> list[ModelT]:
        """Ask for a list that is short."""
        response = self.request("GET", path, **options)
        with _understood(response):
            return TypeAdapter(list[kind]).validate_json(response.content)  # type: ignore[valid-type]  # at run time

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask; a refusal is raised."""
        try:
            response = self.http.request(method, path, **options)
        except httpx.TransportError as error:
            place = str(self.http.base_url)
            raise UnavailableError(ErrorCode.API_UNAVAILABLE, place=place, detail=str(error)) from error
        if not response.is_success:
            raise refusal(response)
        return response


@contextmanager
def _understood(response: httpx.Response) -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        detail = "its answer is not what this version understands; update the older side"
        raise OutriderError(ErrorCode.API_ERROR, place=str(response.url), detail=detail) from error


def _address(url: str) -> str:
    try:
        TypeAdapter(AnyHttpUrl).validate_python(url)
    except ValidationError as error:
        raise InputError(ErrorCode.URL_INVALID, place=url, detail=error.errors()[0]["msg"]) from error
    return url


def only_if(tag: str | None) -> dict[str, str]:
    """The header of a change that is to be made only while the thing is as the tag says; none without a tag."""
    return {} if tag is None else {"If-Match": f'"{tag}"'}


def word(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")
