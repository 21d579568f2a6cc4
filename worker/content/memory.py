"""A content store in memory; it ships with the product so that downloads can be tested without one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from contract.error_codes import ErrorCode
from contract.errors import UnavailableError
from worker.content.source import ContentStream


@dataclass
class MemoryContentSource:
    """Serves bytes by URL.

    Attributes:
        contents: What is served under each URL.
        cut_after: Bytes after which each connection is cut; None for never.
        knows_ranges: While false, it always sends everything.
        asked_from: The position each request asked for.
    """

    contents: dict[str, bytes] = field(default_factory=dict)
    cut_after: int | None = None
    knows_ranges: bool = True
    chunk_size: int = 1024
    asked_from: list[int] = field(default_factory=list)

    @contextmanager
    def open(self, url: str, *, first: int) -> Iterator[ContentStream]:
        """See `ContentSource.open`."""
        self.asked_from.append(first)
        if url not in self.contents:
            raise UnavailableError(ErrorCode.DOWNLOAD_FAILED, detail="the content store answered 404")
        first = first if self.knows_ranges else 0
        yield ContentStream(first, self._chunks(self.contents[url][first:]))

    def _chunks(self, data: bytes) -> Iterator[bytes]:
        sent = 0
        while sent < len(data):
            if self.cut_after is not None and sent >= self.cut_after:
                raise UnavailableError(ErrorCode.DOWNLOAD_FAILED, detail="the connection was cut")
            chunk = data[sent : sent + self.chunk_size]
            sent += len(chunk)
            yield chunk
