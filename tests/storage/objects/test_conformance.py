"""What the port promises, asked of every implementation."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

import pytest
from typing_extensions import Buffer

from contract.error_codes import ErrorCode
from contract.errors import InputError, ObjectMissingError, StoreError
from storage.objects.port import ObjectStore, StoredObject
from tests.storage.objects.conftest import StoreUnderTest

MIB = 1 << 20
#: More than one part of a multipart upload, and not a multiple of a part.
SEVERAL_PARTS = 18 * MIB + 12_345
LIFETIME = timedelta(minutes=5)


class PatternedSource(io.RawIOBase):
    """Bytes that differ from place to place without lying in memory; breaks off after `breaks_after` of them."""

    def __init__(self, size: int, *, breaks_after: int | None = None) -> None:
        self._size = size
        self._breaks_after = breaks_after
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        target = memoryview(buffer)
        if self._breaks_after is not None and self._at >= self._breaks_after:
            raise OSError("the disk went away")
        count = min(len(target), self._size - self._at)
        target[:count] = pattern(self._at, count)
        self._at += count
        return count


def pattern(start: int, length: int) -> bytes:
    """`length` bytes of the pattern that counts 64 KiB blocks, from `start` on."""
    first = start // 65_536
    last = (start + length) // 65_536
    blocks = b"".join(block.to_bytes(4, "big") * 16_384 for block in range(first, last + 1))
    return blocks[start - first * 65_536 :][:length]


def patterned(size: int, *, breaks_after: int | None = None) -> BinaryIO:
    return io.BufferedReader(PatternedSource(size, breaks_after=breaks_after), buffer_size=MIB)


def put(store: ObjectStore, key: str, data: bytes) -> StoredObject:
    return store.put(key, io.BytesIO(data), size=len(data))


def whole(store: ObjectStore, key: str) -> bytes:
    with store.read(key) as stream:
        return stream.read()


# --- writing ----------------------------------------------------------------------------------------------------------


def test_what_was_put_is_read_back(store: ObjectStore) -> None:
    stored = put(store, "content/ab/one.bin", b"some bytes")
    assert (stored.key, stored.size) == ("content/ab/one.bin", 10)
    assert whole(store, "content/ab/one.bin") == b"some bytes"
    assert store.stat("content/ab/one.bin") == stored


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    assert put(store, "empty", b"").size == 0
    assert whole(store, "empty") == b""


def test_an_object_of_several_parts_is_read_back_whole(store: ObjectStore) -> None:
    assert store.put("large", patterned(SEVERAL_PARTS), size=SEVERAL_PARTS).size == SEVERAL_PARTS
    with store.read("large") as stream:
        for start in range(0, SEVERAL_PARTS, MIB):
            assert stream.read(MIB) == pattern(start, min(MIB, SEVERAL_PARTS - start))
        assert stream.read(1) == b""


def test_a_source_is_read_from_where_it_stands(store: ObjectStore) -> None:
    source = io.BytesIO(b"header and body")
    source.seek(11)
    store.put("tail", source, size=4)
    assert whole(store, "tail") == b"body"
    assert not source.closed


def test_the_same_key_again_is_fine(store: ObjectStore) -> None:
    first = put(store, "twice", b"the same")
    assert put(store, "twice", b"the same") == first
    assert list(store.keys()) == ["twice"]


def test_equal_puts_at_once_leave_one_whole_object(store: ObjectStore) -> None:
    with ThreadPoolExecutor(4) as pool:
        stored = list(pool.map(lambda _: put(store, "raced", b"x" * 100_000), range(8)))
    assert len(set(stored_etag(stored))) == 1
    assert whole(store, "raced") == b"x" * 100_000


def stored_etag(stored: list[StoredObject]) -> Iterator[str]:
    return (one.etag for one in stored)


@pytest.mark.parametrize("size", [100, SEVERAL_PARTS])
def test_a_source_that_breaks_off_leaves_nothing_visible(store: ObjectStore, size: int) -> None:
    with pytest.raises(OSError, match="the disk went away"):
        store.put("broken", patterned(size, breaks_after=size // 2), size=size)
    assert not store.exists("broken")
    assert list(store.keys()) == []


@pytest.mark.parametrize("size", [100, SEVERAL_PARTS])
@pytest.mark.parametrize("off_by", [-1, 1], ids=["too-short", "too-long"])
def test_a_source_of_another_size_is_refused(store: ObjectStore, size: int, off_by: int) -> None:
    with pytest.raises(InputError) as caught:
        store.put("wrong", patterned(size + off_by), size=size)
    assert caught.value.code is ErrorCode.CONTENT_SIZE_WRONG
    assert caught.value.place == "wrong"
    assert not store.exists("wrong")


def test_a_failed_put_keeps_the_object_that_was_there(store: ObjectStore) -> None:
    put(store, "kept", b"before")
    with pytest.raises(OSError, match="the disk went away"):
        store.put("kept", patterned(SEVERAL_PARTS, breaks_after=10 * MIB), size=SEVERAL_PARTS)
    assert whole(store, "kept") == b"before"


# --- asking -----------------------------------------------------------------------------------------------------------


def test_a_missing_object_is_one_error_whoever_asks(under_test: StoreUnderTest, store: ObjectStore) -> None:
    with pytest.raises(ObjectMissingError) as by_stat:
        store.stat("nowhere")
    with pytest.raises(ObjectMissingError), store.read("nowhere") as stream:
        stream.read()
    with pytest.raises(ObjectMissingError), store.read("nowhere", start=5, length=5) as stream:
        stream.read()
    assert by_stat.value.place == "nowhere"
    assert not store.exists("nowhere")


def test_deleting_removes_and_deleting_nothing_is_fine(store: ObjectStore) -> None:
    put(store, "gone", b"soon")
    store.delete("gone")
    store.delete("gone")
    assert not store.exists("gone")


def test_an_object_of_several_parts_is_deleted_with_its_parts(store: ObjectStore) -> None:
    store.put("large", patterned(SEVERAL_PARTS), size=SEVERAL_PARTS)
    store.delete("large")
    assert list(store.keys()) == []


def test_keys_are_listed_by_prefix_in_order(store: ObjectStore) -> None:
    for key in ("b/2", "a/1", "b/1", "bb/1", "c"):
        put(store, key, b"-")
    assert list(store.keys("b/")) == ["b/1", "b/2"]
    assert list(store.keys()) == ["a/1", "b/1", "b/2", "bb/1", "c"]
    assert list(store.keys("z")) == []


def test_making_the_bucket_again_keeps_what_is_in_it(store: ObjectStore) -> None:
    put(store, "kept", b"-")
    store.ensure_ready()
    assert store.exists("kept")


# --- ranges -----------------------------------------------------------------------------------------------------------

TEN = b"0123456789"


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        (0, None, TEN),
        (0, 1, b"0"),
        (0, 10, TEN),
        (3, 4, b"3456"),
        (3, None, b"3456789"),
        (9, None, b"9"),
        (8, 100, b"89"),
        (0, 100, TEN),
    ],
)
def test_a_range_is_read_and_cut_at_the_end(
    store: ObjectStore, start: int, length: int | None, expected: bytes
) -> None:
    put(store, "ten", TEN)
    with store.read("ten", start=start, length=length) as stream:
        assert stream.read() == expected


@pytest.mark.parametrize(("start", "length"), [(10, None), (10, 5), (-1, None), (0, 0), (0, -1)])
def test_a_range_that_cannot_be_is_refused(store: ObjectStore, start: int, length: int | None) -> None:
    put(store, "ten", TEN)
    with pytest.raises(InputError) as caught, store.read("ten", start=start, length=length) as stream:
        stream.read()
    assert caught.value.code is ErrorCode.RANGE_UNSATISFIABLE


def test_a_range_across_two_parts_is_read(store: ObjectStore) -> None:
    store.put("large", patterned(SEVERAL_PARTS), size=SEVERAL_PARTS)
    start = 8 * MIB - 1000
    with store.read("large", start=start, length=2000) as stream:
        assert stream.read() == pattern(start, 2000)


def test_a_stream_may_be_left_before_its_end(store: ObjectStore) -> None:
    store.put("large", patterned(SEVERAL_PARTS), size=SEVERAL_PARTS)
    with store.read("large") as stream:
        assert stream.read(10) == pattern(0, 10)
    assert store.exists("large")


# --- presigned URLs ---------------------------------------------------------------------------------------------------


def test_a_presigned_url_answers_whole_and_in_ranges(under_test: StoreUnderTest, store: ObjectStore) -> None:
    put(store, "content/ten", TEN)
    url = store.presign_get("content/ten", lifetime=LIFETIME).url
    assert under_test.fetch(url, None) == TEN
    assert under_test.fetch(url, (3, 6)) == b"3456"
    with pytest.raises(InputError):
        under_test.fetch(url, (10, 12))


def test_a_presigned_url_of_a_large_object_answers_ranges(under_test: StoreUnderTest, store: ObjectStore) -> None:
    store.put("large", patterned(SEVERAL_PARTS), size=SEVERAL_PARTS)
    url = store.presign_get("large", lifetime=LIFETIME).url
    start = 16 * MIB - 7
    assert under_test.fetch(url, (start, start + 999)) == pattern(start, 1000)


@pytest.mark.parametrize("change", ["key", "signature", "lifetime"])
def test_a_changed_presigned_url_is_refused(under_test: StoreUnderTest, store: ObjectStore, change: str) -> None:
    put(store, "content/mine", TEN)
    put(store, "content/other", b"secret")
    url = store.presign_get("content/mine", lifetime=LIFETIME).url
    expiry = f"expires={url.split('expires=')[1].split('&')[0]}" if "expires=" in url else "Expires=300"
    replaced = {
        "key": url.replace("content/mine", "content/other"),
        "signature": url[:-1] + ("0" if url[-1] != "0" else "1"),
        "lifetime": url.replace(expiry, f"{expiry}0"),
    }[change]
    assert replaced != url
    with pytest.raises(StoreError):
        under_test.fetch(replaced, None)


def test_an_expired_presigned_url_is_refused(under_test: StoreUnderTest, store: ObjectStore) -> None:
    put(store, "content/ten", TEN)
    presigned = store.presign_get("content/ten", lifetime=timedelta(seconds=1))
    under_test.outlive(presigned)
    with pytest.raises(StoreError):
        under_test.fetch(presigned.url, None)


def test_a_presigned_url_says_when_it_expires_and_hides_itself_in_logs(store: ObjectStore) -> None:
    presigned = store.presign_get("not/there/yet", lifetime=LIFETIME)
    assert presigned.expires_at.tzinfo is UTC
    assert "http" not in repr(presigned)
    assert "signature" not in repr(presigned).lower()
    assert isinstance(presigned.expires_at, datetime)
