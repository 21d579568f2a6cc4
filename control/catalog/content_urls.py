"""Presigned URLs of content: one is handed to every device that asks within a short time."""

from datetime import timedelta
from threading import Lock
from typing import Final

from cachetools import TTLCache

from contract.clock import Clock
from control.catalog.content import object_key
from storage.objects.port import ObjectStore, PresignedUrl

#: Objects whose URLs are kept at most.
_CAPACITY: Final = 4096
#: The share of its lifetime for which a URL is handed out: whoever gets it has the rest.
_SHARE: Final = 0.1


class ContentUrls:
    """Makes URLs; a device's own part of the content's protection is the key that is sealed to it, not the URL."""

    def __init__(self, store: ObjectStore, lifetime: timedelta, clock: Clock) -> None:
        self._store = store
        self._lifetime = lifetime
        kept_seconds = lifetime.total_seconds() * _SHARE
        self._kept: TTLCache[str, PresignedUrl] = TTLCache(_CAPACITY, kept_seconds, timer=clock.monotonic)
        self._lock = Lock()

    def url_of(self, digest: str) -> PresignedUrl:
        """A URL of the content with this digest, good for nine tenths of the lifetime at least."""
        with self._lock:
            presigned = self._kept.get(digest)
            if presigned is None:
                presigned = self._store.presign_get(object_key(digest), lifetime=self._lifetime)
                self._kept[digest] = presigned
            return presigned
