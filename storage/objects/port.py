"""What every content store must do, method by method.

All implementations pass the one suite in `tests/storage/objects/test_conformance.py`. Callers depend on what is
written here and on nothing a vendor adds.

Errors that every method may raise:
    ObjectMissingError: There is no object under the key, whatever words the store has for it.
    UnavailableError: The store does not answer (`STORE_UNAVAILABLE`); the same call may work later.
    StoreError: The store refused (`STORE_REFUSED`): wrong keys, too few rights, no such bucket.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import BinaryIO, Protocol

from pydantic import BaseModel, ConfigDict, Field


class StoredObject(BaseModel):
    """What is known of an object without reading it.

    Attributes:
        key: Its name in the bucket.
        size: Bytes.
        etag: The store's mark of this very content; opaque, without quotes.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    size: int = Field(ge=0)
    etag: str


class PresignedUrl(BaseModel):
    """A URL that lets whoever holds it read one object for a while.

    Attributes:
        url: The whole URL; as good as a key while it lasts, hence never logged.
        expires_at: When the store begins to refuse it, in UTC.
    """

    model_config = ConfigDict(frozen=True)

    url: str = Field(repr=False)
    expires_at: datetime


class ObjectStore(Protocol):
    """A bucket of immutable objects addressed by key.

    Keys are `/`-separated words of ASCII letters, digits, `.`, `_` and `-`. An object is written once and never
    changed; writing the same key again with the same bytes is fine. Memory use does not grow with size.
    """

    def ensure_ready(self) -> None:
        """Make the bucket if it is not there. Calling it again is fine, also from several processes at once."""
        ...

    def put(self, key: str, source: BinaryIO, *, size: int) -> StoredObject:
        """Write `size` bytes of `source`, from its current position on, under `key`.

        The object is visible whole or not at all. On any failure nothing is left in the store, neither an object nor
        parts of one that nobody sees but everybody pays for. `source` is read once, forwards; it is not closed.

        Raises:
            InputError: `source` held fewer or more bytes than `size`; nothing is visible.
        """
        ...

    def stat(self, key: str) -> StoredObject:
        """Size and etag of the object."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is an object under `key`. An unreachable store is an error, never `False`."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; a missing one is fine."""
        ...

    def keys(self, prefix: str = "") -> Iterator[str]:
        """All keys that begin with `prefix`, in ascending order, fetched page by page."""
        ...

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> AbstractContextManager[BinaryIO]:
        """Open the object for reading; leaving the context closes it.

        Args:
            key: The object.
            start: The first byte.
            length: How many bytes at most; None reads to the end. A range that reaches beyond the end is cut there.

        Raises:
            InputError: `start` lies beyond the last byte, or a number is negative.
        """
        ...

    def presign_get(self, key: str, *, lifetime: timedelta) -> PresignedUrl:
        """A URL that answers GET, with and without Range, for `lifetime` and for this one object.

        Made without asking the store: the object need not exist yet. Any change to the URL voids it.
        """
        ...
