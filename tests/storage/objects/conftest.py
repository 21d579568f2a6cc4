"""Both stores, behind the one port."""

import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from contract.clock import ManualClock
from contract.error_codes import ErrorCode
from contract.errors import InputError, StoreError
from deploy.local.polling import wait_until
from storage.objects.memory import MemoryObjectStore
from storage.objects.port import ObjectStore, PresignedUrl
from storage.objects.s3 import S3ObjectStore
from storage.objects.s3_settings import S3Settings

_REFUSED = frozenset({401, 403})
_RANGE_REFUSED = 416


@dataclass(frozen=True)
class StoreUnderTest:
    """A store and how its presigned URLs are fetched.

    Attributes:
        store: What the suite judges.
        fetch: GETs a presigned URL, wholly or a range given as (first, last).
        outlive: Lets time pass until the URL has expired.
    """

    store: ObjectStore
    fetch: Callable[[str, tuple[int, int] | None], bytes]
    outlive: Callable[[PresignedUrl], None]


@pytest.fixture(params=["memory", pytest.param("s3", marks=pytest.mark.integration)])
def under_test(request: pytest.FixtureRequest) -> StoreUnderTest:
    if request.param == "memory":
        return _memory()
    return _s3(request.getfixturevalue("s3_settings"))


@pytest.fixture
def store(under_test: StoreUnderTest) -> ObjectStore:
    under_test.store.ensure_ready()
    return under_test.store


def _memory() -> StoreUnderTest:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    store = MemoryObjectStore(clock=clock)

    def fetch(url: str, wanted: tuple[int, int] | None) -> bytes:
        if wanted is None:
            return store.fetch(url)
        return store.fetch(url, start=wanted[0], length=wanted[1] - wanted[0] + 1)

    return StoreUnderTest(store, fetch, lambda presigned: clock.advance(presigned.expires_at - clock.now()))


def _s3(settings: S3Settings) -> StoreUnderTest:
    def outlive(presigned: PresignedUrl) -> None:
        over = presigned.expires_at + timedelta(seconds=1)
        assert wait_until(lambda: datetime.now(UTC) > over, seconds=10)

    return StoreUnderTest(S3ObjectStore(settings), fetch_over_http, outlive)


def fetch_over_http(url: str, wanted: tuple[int, int] | None) -> bytes:
    """What a device does with the URL, with the store's answers as the port's errors."""
    request = urllib.request.Request(url)
    if wanted is not None:
        request.add_header("Range", f"bytes={wanted[0]}-{wanted[1]}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert wanted is None or answer.headers["Content-Range"].startswith(f"bytes {wanted[0]}-{wanted[1]}/")
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            if error.code == _RANGE_REFUSED:
                raise InputError(ErrorCode.RANGE_UNSATISFIABLE) from error
            if error.code in _REFUSED:
                raise StoreError(ErrorCode.STORE_REFUSED) from error
            raise
