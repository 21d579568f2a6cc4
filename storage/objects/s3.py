"""The content store on any S3 endpoint; the only file that knows boto3."""

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO, cast

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as BotoConnectionError

from contract.clock import Clock, SystemClock
from contract.error_codes import ErrorCode
from contract.errors import InputError, ObjectMissingError, OutriderError, StoreError, UnavailableError
from storage.objects.port import PresignedUrl, StoredObject
from storage.objects.ranges import http_range
from storage.objects.sized import SizedReader

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from storage.objects.s3_settings import S3Settings

#: S3 allows this many parts to one upload.
_MAX_PARTS = 10_000
#: What stores say instead of "it is already yours"; both mean the bucket is there.
_BUCKET_IS_THERE = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})
_MISSING = frozenset({"NoSuchKey", "NotFound", "404"})
_RANGE_REFUSED = frozenset({"InvalidRange", "416"})
_SERVER_ERROR = 500


class S3ObjectStore:
    """An `ObjectStore` in one bucket of an S3 endpoint.

    Safe to share between threads. The presigned URLs name `public_endpoint_url` where the settings give one.
    """

    def __init__(self, settings: "S3Settings", *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._client = _client(settings, settings.endpoint_url)
        public = settings.public_endpoint_url
        self._presigner = self._client if public is None else _client(settings, public)

    def ensure_ready(self) -> None:
        """Make the bucket if it is not there."""
        with self._translated(self._settings.bucket):
            try:
                self._client.head_bucket(Bucket=self._settings.bucket)
            except ClientError as error:
                if _code(error) not in _MISSING | {"NoSuchBucket"}:
                    raise
                self._create_bucket()

    def put(self, key: str, source: BinaryIO, *, size: int) -> StoredObject:
        """Upload in one request, or in parts above the threshold; a failed upload is withdrawn."""
        with self._translated(key):
            self._client.upload_fileobj(
                cast("BinaryIO", SizedReader(source, size, place=key)),
                self._settings.bucket,
                key,
                Config=self._transfer(size),
            )
        return self.stat(key)

    def stat(self, key: str) -> StoredObject:
        """Size and etag of the object."""
        with self._translated(key):
            head = self._client.head_object(Bucket=self._settings.bucket, Key=key)
        return StoredObject(key=key, size=head["ContentLength"], etag=head["ETag"].strip('"'))

    def exists(self, key: str) -> bool:
        """Whether there is an object under `key`."""
        with suppress(ObjectMissingError):
            self.stat(key)
            return True
        return False

    def delete(self, key: str) -> None:
        """Remove the object; a missing one is fine."""
        with suppress(ObjectMissingError), self._translated(key):
            self._client.delete_object(Bucket=self._settings.bucket, Key=key)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """All keys that begin with `prefix`, in ascending order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._settings.bucket, Prefix=prefix)
        with self._translated(prefix):
            for page in pages:
                yield from (entry["Key"] for entry in page.get("Contents", []))

    @contextmanager
    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[BinaryIO]:
        """Open the object, or a range of it, as a stream from the store."""
        wanted = http_range(start, length, place=key)
        with self._translated(key):
            if wanted is None:
                answer = self._client.get_object(Bucket=self._settings.bucket, Key=key)
            else:
                answer = self._client.get_object(Bucket=self._settings.bucket, Key=key, Range=wanted)
            # A store that ignores Range would hand over the wrong bytes.
            if wanted is not None and start and "ContentRange" not in answer:
                raise StoreError(ErrorCode.STORE_REFUSED, place=key, detail="the store ignores Range")
            with closing(answer["Body"]) as body:
                yield io.BufferedReader(cast("io.RawIOBase", body))

    def presign_get(self, key: str, *, lifetime: timedelta) -> PresignedUrl:
        """A signed URL (SigV4) for GET of this object."""
        expires_at = self._clock.now() + lifetime
        url = self._presigner.generate_presigned_url(
            "get_object",
            Params={"Bucket": self._settings.bucket, "Key": key},
            ExpiresIn=int(lifetime.total_seconds()),
        )
        return PresignedUrl(url=url, expires_at=expires_at)

    def _create_bucket(self) -> None:
        """Create the bucket; losing the race against another process is winning it too."""
        try:
            self._client.create_bucket(Bucket=self._settings.bucket)
        except ClientError as error:
            if _code(error) not in _BUCKET_IS_THERE:
                raise

    def _transfer(self, size: int) -> TransferConfig:
        """How to upload `size` bytes: parts grow with the object so that S3's limit on their number holds."""
        part, threads = self._settings.part_bytes, self._settings.upload_threads
        config = TransferConfig(
            multipart_threshold=part,
            multipart_chunksize=max(part, -(-size // _MAX_PARTS)),
            max_concurrency=threads,
            use_threads=threads > 1,
        )
        # What is read ahead of the parts under way; the library's own figure is ten parts.
        config.max_in_memory_upload_chunks = threads
        return config

    @contextmanager
    def _translated(self, place: str) -> Iterator[None]:
        """Turn what boto3 raises into the errors the port promises."""
        try:
            yield
        except ClientError as error:
            raise _from_answer(error, place) from error
        except (HTTPClientError, BotoConnectionError, IncompleteReadError) as error:
            # The error's text names the endpoint but never the query of a signed URL.
            place = self._settings.endpoint_url
            raise UnavailableError(ErrorCode.STORE_UNAVAILABLE, place=place, detail=str(error)) from error
        except BotoCoreError as error:
            raise StoreError(ErrorCode.STORE_REFUSED, place=place, detail=str(error)) from error


def _client(settings: "S3Settings", endpoint_url: str) -> "S3Client":
    """A client that works with every S3 store we know, not just with the vendor's own."""
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path" if settings.path_style else "virtual"},
        connect_timeout=settings.connect_timeout.total_seconds(),
        read_timeout=settings.read_timeout.total_seconds(),
        retries={"total_max_attempts": settings.attempts, "mode": "standard"},
        tcp_keepalive=True,
        # Over TLS boto3 would otherwise send trailing checksums that other stores refuse.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    session = boto3.session.Session(
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key.get_secret_value(),
        region_name=settings.region,
    )
    return session.client("s3", endpoint_url=endpoint_url, config=config)


def _code(error: ClientError) -> str:
    """The store's own word for what went wrong; the status where it has none."""
    return str(error.response.get("Error", {}).get("Code", "")) or str(_status(error))


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _from_answer(error: ClientError, place: str) -> OutriderError:
    """The error the port promises for what the store answered."""
    code = _code(error)
    if code in _MISSING:
        return ObjectMissingError(place)
    if code in _RANGE_REFUSED:
        return InputError(ErrorCode.RANGE_UNSATISFIABLE, place=place)
    detail = f"{error.operation_name}: {code} ({_status(error)})"
    if _status(error) >= _SERVER_ERROR:
        return UnavailableError(ErrorCode.STORE_UNAVAILABLE, place=place, detail=detail)
    return StoreError(ErrorCode.STORE_REFUSED, place=place, detail=detail)
