"""Reading encrypted content from the content store by its presigned URL."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

import httpx

from contract.error_codes import ErrorCode
from contract.errors import UnavailableError

_CONTENT_RANGE = re.compile(r"bytes (?P<first>\d+)-\d+/(?P<total>\d+|\*)")


@dataclass(frozen=True)
class ContentStream:
    """Bytes of a content as they arrive.

    Attributes:
        first: The position of the first of them: what was asked for, or 0 where the store sends everything.
        chunks: The bytes; reading may raise `UnavailableError`.
    """

    first: int
    chunks: Iterator[bytes]


class ContentSource(Protocol):
    """Where content comes from."""

    @contextmanager
    def open(self, url: str, *, first: int) -> Iterator[ContentStream]:
        """The content from the byte at `first` on.

        Raises:
            UnavailableError: The store does not answer in time, or not with the content.
        """
        ...


class HttpContentSource:
    """Content over HTTP with ranges."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    @contextmanager
    def open(self, url: str, *, first: int) -> Iterator[ContentStream]:
        """See `ContentSource.open`."""
        headers = {"Accept-Encoding": "identity"}
        if first:
            headers["Range"] = f"bytes={first}-"
        try:
            with self._client.stream("GET", url, headers=headers) as response:
                # As it arrives: chunks of a fixed size would lose what a cut connection had brought of the last one.
                yield ContentStream(_first(response), response.iter_raw())
        except httpx.TimeoutException as error:
            raise UnavailableError(ErrorCode.DOWNLOAD_TIMEOUT, detail=type(error).__name__) from error
        except httpx.HTTPError as error:
            raise UnavailableError(ErrorCode.DOWNLOAD_FAILED, detail=f"{type(error).__name__}: {error}") from error


def _first(response: httpx.Response) -> int:
    # A 206 without a range, or a range in a 200, has been seen: what counts is what the answer says it holds.
    if response.status_code not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
        # An expired URL is refused, too: the next try asks for a new one.
        raise UnavailableError(ErrorCode.DOWNLOAD_FAILED, detail=f"the content store answered {response.status_code}")
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return int(match["first"]) if match else 0
