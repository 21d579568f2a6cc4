"""The embedded store as it runs: what becomes of content that its disk has changed."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from contract.errors import ObjectMissingError
from deploy.local.outside import DEFAULT_REGION
from deploy.local.ports import HOST, find_free_port
from deploy.local.secret_values import StackSecrets
from deploy.local.swift.layout import ACCESS_KEY
from deploy.local.swift.part import store_part
from storage.objects.s3 import S3ObjectStore
from storage.objects.s3_settings import S3Settings
from tests.support.servers import running

_KEY, _CONTENT = "content", b"as it was"
#: One in ten is looked at: that none of so many is happens once in 10 to the 22.
_DOWNLOADS = 500


@pytest.fixture
def store(tmp_path: Path) -> Iterator[S3ObjectStore]:
    """A store of the test's own, with one object."""
    port, secrets = find_free_port(), StackSecrets()
    with running(store_part(tmp_path, port, secrets, DEFAULT_REGION), tmp_path):
        settings = S3Settings(
            endpoint_url=f"http://{HOST}:{port}",
            region=DEFAULT_REGION,
            bucket="content",
            access_key=ACCESS_KEY,
            secret_key=SecretStr(secrets.store_key),
        )
        store = S3ObjectStore(settings)
        store.ensure_ready()
        store.put(_KEY, io.BytesIO(_CONTENT), size=len(_CONTENT))
        yield store


def _read(store: S3ObjectStore) -> bytes:
    with store.read(_KEY) as stream:
        return stream.read()


def _is_missing(store: S3ObjectStore) -> bool:
    try:
        _read(store)
    except ObjectMissingError:
        return True
    return False


@pytest.mark.integration
def test_content_that_rots_is_set_aside_so_that_the_next_upload_puts_it_right(
    store: S3ObjectStore, tmp_path: Path
) -> None:
    (kept,) = (tmp_path / "devices").glob("disk/objects/**/*.data")
    with kept.open("r+b") as file:
        file.write(b"A")
    assert any(_is_missing(store) for _ in range(_DOWNLOADS))
    assert not store.exists(_KEY)
    store.put(_KEY, io.BytesIO(_CONTENT), size=len(_CONTENT))
    assert _read(store) == _CONTENT
