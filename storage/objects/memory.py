"""A content store in memory: for tests of whatever needs a store, and for trying things out."""

import hashlib
import hmac
import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import BinaryIO
from urllib.parse import parse_qs, urlencode, urlsplit

from contract.clock import Clock, SystemClock
from contract.error_codes import ErrorCode
from contract.errors import InputError, ObjectMissingError, StoreError
from storage.objects.port import PresignedUrl, StoredObject
from storage.objects.ranges import check_range
from storage.objects.sized import SizedReader


class MemoryObjectStore:
    """An `ObjectStore` that forgets everything when it goes.

    Its presigned URLs are answered by `fetch`, under the same rules a real store has.
    """

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._objects: dict[str, bytes] = {}
        self._signing_key = secrets.token_bytes(32)

    def ensure_ready(self) -> None:
        """Nothing to make."""

    def put(self, key: str, source: BinaryIO, *, size: int) -> StoredObject:
        """Keep the bytes once all of them are there."""
        reader = SizedReader(source, size, place=key)
        data = bytearray()
        while True:
            block = reader.read()
            data += block
            if len(data) == size:
                break
        self._objects[key] = bytes(data)
        return self.stat(key)

    def stat(self, key: str) -> StoredObject:
        """Size and etag of the object."""
        data = self._data(key)
        return StoredObject(key=key, size=len(data), etag=hashlib.sha256(data).hexdigest())

    def exists(self, key: str) -> bool:
        """Whether there is an object under `key`."""
        return key in self._objects

    def delete(self, key: str) -> None:
        """Forget the object; a missing one is fine."""
        self._objects.pop(key, None)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """All keys that begin with `prefix`, in ascending order."""
        return iter(sorted(key for key in self._objects if key.startswith(prefix)))

    @contextmanager
    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[BinaryIO]:
        """Open the object, or a range of it."""
        yield io.BytesIO(self._range(key, start, length))

    def presign_get(self, key: str, *, lifetime: timedelta) -> PresignedUrl:
        """A URL that `fetch` answers for `lifetime`."""
        expires_at = self._clock.now() + lifetime
        stamp = str(expires_at.timestamp())
        query = urlencode({"expires": stamp, "signature": self._signature(key, stamp)})
        return PresignedUrl(url=f"memory:///{key}?{query}", expires_at=expires_at)

    def fetch(self, url: str, *, start: int = 0, length: int | None = None) -> bytes:
        """What a GET of a presigned URL answers.

        Raises:
            StoreError: The URL was changed or has expired.
        """
        parts = urlsplit(url)
        key = parts.path.removeprefix("/")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        expires, signature = query.get("expires", "0"), query.get("signature", "")
        if not hmac.compare_digest(signature, self._signature(key, expires)):
            raise StoreError(ErrorCode.STORE_REFUSED, place=key, detail="the signature does not match")
        if self._clock.now() >= datetime.fromtimestamp(float(expires), UTC):
            raise StoreError(ErrorCode.STORE_REFUSED, place=key, detail="the URL has expired")
        return self._range(key, start, length)

    def _signature(self, key: str, expires: str) -> str:
        return hmac.new(self._signing_key, f"{key}\n{expires}".encode(), hashlib.sha256).hexdigest()

    def _range(self, key: str, start: int, length: int | None) -> bytes:
        check_range(start, length, place=key)
        data = self._data(key)
        if start >= len(data) and (start or length is not None):
            raise InputError(ErrorCode.RANGE_UNSATISFIABLE, place=key, detail=f"start {start} of {len(data)} bytes")
        return data[start:] if length is None else data[start : start + length]

    def _data(self, key: str) -> bytes:
        if key not in self._objects:
            raise ObjectMissingError(key)
        return self._objects[key]
