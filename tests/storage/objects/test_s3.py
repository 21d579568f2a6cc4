"""What only an S3 endpoint can do wrong, on a real one."""

import io
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Thread
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from pydantic import SecretStr

from contract.error_codes import ErrorCode
from contract.errors import OutriderError, StoreError, UnavailableError
from deploy.local.ports import find_free_port
from storage.objects.s3 import S3ObjectStore
from storage.objects.s3_settings import SMALLEST_PART_BYTES, S3Settings

MIB = 1 << 20
ONCE = {"connect_timeout": timedelta(seconds=20), "read_timeout": timedelta(seconds=20), "attempts": 1}


class BreakingSource(io.RawIOBase):
    """Zeros, then an error."""

    def __init__(self, good_bytes: int) -> None:
        self._left = good_bytes

    def read(self, count: int = -1) -> bytes:
        if self._left <= 0:
            raise OSError("the disk went away")
        self._left -= count
        return bytes(count)


@pytest.fixture
def store(s3_settings: S3Settings) -> S3ObjectStore:
    made = S3ObjectStore(s3_settings.model_copy(update={"part_bytes": SMALLEST_PART_BYTES}))
    made.ensure_ready()
    return made


@pytest.fixture
def server_that(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a server that answers every request with the bytes of the test's parameter, then hangs up."""
    answer: bytes = request.param
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(timeout=5)


def any_settings(endpoint_url: str) -> S3Settings:
    return S3Settings(endpoint_url=endpoint_url, bucket="b", access_key="a", secret_key=SecretStr("s"), **ONCE)


def open_uploads(settings: S3Settings) -> list[str]:
    client = boto3.client(
        "s3",
        endpoint_url=settings.endpoint_url,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key.get_secret_value(),
        region_name=settings.region,
        config=Config(s3={"addressing_style": "path"}),
    )
    return [upload["Key"] for upload in client.list_multipart_uploads(Bucket=settings.bucket).get("Uploads", [])]


@pytest.mark.integration
def test_a_cut_off_upload_is_withdrawn_with_its_parts(store: S3ObjectStore, s3_settings: S3Settings) -> None:
    with pytest.raises(OSError, match="the disk went away"):
        store.put("broken", BreakingSource(12 * MIB), size=20 * MIB)  # type: ignore[arg-type]  # only reads
    assert open_uploads(s3_settings) == []
    assert not store.exists("broken")


@pytest.mark.integration
def test_large_objects_really_go_up_in_parts(store: S3ObjectStore) -> None:
    stored = store.put("large", io.BytesIO(bytes(11 * MIB)), size=11 * MIB)
    assert stored.etag.endswith("-3")


@pytest.mark.integration
def test_a_wrong_secret_is_refused_without_being_told(s3_settings: S3Settings) -> None:
    wrong = s3_settings.model_copy(update={"secret_key": SecretStr("wrong-secret-value")})
    with pytest.raises(StoreError) as caught:
        S3ObjectStore(wrong).ensure_ready()
    assert caught.value.code is ErrorCode.STORE_REFUSED
    assert "wrong-secret-value" not in f"{caught.value}{caught.value.__cause__}{wrong!r}"


@pytest.mark.integration
def test_writing_to_a_bucket_that_is_not_there_is_refused(s3_settings: S3Settings) -> None:
    with pytest.raises(StoreError) as caught:
        S3ObjectStore(s3_settings).put("key", io.BytesIO(b"-"), size=1)
    assert caught.value.code is ErrorCode.STORE_REFUSED
    assert "NoSuchBucket" in caught.value.detail


@pytest.mark.integration
def test_presigned_urls_name_the_address_that_devices_use(s3_settings: S3Settings) -> None:
    elsewhere = s3_settings.model_copy(update={"public_endpoint_url": "https://content.example.org"})
    url = S3ObjectStore(elsewhere).presign_get("key", lifetime=timedelta(minutes=1)).url
    assert urlsplit(url).netloc == "content.example.org"


def whole(store: S3ObjectStore) -> bytes:
    with store.read("key") as stream:
        return stream.read()


def every_call(store: S3ObjectStore) -> Iterator[tuple[str, object]]:
    calls: dict[str, Callable[[], object]] = {
        "ensure_ready": store.ensure_ready,
        "put": lambda: store.put("key", io.BytesIO(b"-"), size=1),
        "stat": lambda: store.stat("key"),
        "exists": lambda: store.exists("key"),
        "delete": lambda: store.delete("key"),
        "keys": lambda: list(store.keys()),
        "read": lambda: whole(store),
    }
    for name, call in calls.items():
        try:
            yield name, call()
        except OutriderError as error:
            yield name, error.code


@pytest.mark.integration
def test_a_store_that_is_down_is_unavailable_to_every_call() -> None:
    store = S3ObjectStore(any_settings(f"http://127.0.0.1:{find_free_port()}"))
    assert {code for _, code in every_call(store)} == {ErrorCode.STORE_UNAVAILABLE}


@pytest.mark.integration
@pytest.mark.parametrize(
    "server_that",
    [
        pytest.param(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", id="overloaded"),
        pytest.param(b"", id="hangs-up"),
        pytest.param(b"not HTTP at all\r\n\r\n", id="speaks-something-else"),
    ],
    indirect=True,
)
def test_a_store_that_answers_badly_is_unavailable(server_that: str) -> None:
    with pytest.raises(UnavailableError):
        S3ObjectStore(any_settings(server_that)).stat("key")


@pytest.mark.integration
@pytest.mark.parametrize(
    "server_that", [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nETag: x\r\n\r\nonly this"], indirect=True
)
def test_a_body_that_breaks_off_is_never_taken_for_the_whole(server_that: str) -> None:
    with pytest.raises(UnavailableError), S3ObjectStore(any_settings(server_that)).read("key") as stream:
        stream.readlines()


@pytest.mark.integration
@pytest.mark.parametrize(
    "server_that", [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nETag: x\r\n\r\n0123456789"], indirect=True
)
def test_a_store_that_ignores_ranges_is_refused(server_that: str) -> None:
    with pytest.raises(StoreError, match="ignores Range"), S3ObjectStore(any_settings(server_that)).read("k", start=5):
        pytest.fail("the wrong bytes were handed over")
