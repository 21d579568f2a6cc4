"""What stands in a device's queue: small, and read back as it was; anything else is refused with words."""

import json
import zlib
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.jobs import JobRef
from contract.queue_messages import _DICTIONARY, is_packed, packed, unpacked
from control.dispatch.celery_app import chain_message

DEVICE_ID = "0d6f1a1e-7c5a-4f5e-9a53-3f0f4f7a1c11"
REF = JobRef(job_id="7f0c2e53-1f0b-4a52-8b1f-1a2b3c4d5e6f", generation=3, attempt=2)
MOST_BYTES = 64 * 1024
#: Of what the message takes as JSON.
SMALL = 0.12
#: Of what the widest window makes of it; how matches are found differs a little.
ALIKE = 1.02


@pytest.fixture(scope="module")
def message() -> dict[str, Any]:
    return chain_message(DEVICE_ID, REF)


def test_a_job_takes_a_tenth_of_its_json(message: dict[str, Any]) -> None:
    assert len(packed(message)) < SMALL * len(json.dumps(message))


def test_a_message_is_read_back_as_it_was(message: dict[str, Any]) -> None:
    assert is_packed(packed(message))
    assert unpacked(packed(message), most_bytes=MOST_BYTES) == message


def test_a_small_window_loses_next_to_nothing_of_what_the_dictionary_has() -> None:
    ours, widest = [], []
    for number in range(1, 200):
        raw = packed(
            chain_message(
                str(UUID(int=number)), JobRef(job_id=str(UUID(int=number << 64)), generation=number, attempt=1)
            )
        )
        wide = zlib.compressobj(1, zdict=_DICTIONARY)
        ours.append(len(raw) - 1)
        widest.append(len(wide.compress(unzipped(raw)) + wide.flush()))
        assert raw[1] >> 4 < zlib.MAX_WBITS - 8, "the window's size stands in zlib's header"
    assert sum(ours) < ALIKE * sum(widest)


def unzipped(raw: bytes) -> bytes:
    return zlib.decompressobj(zdict=_DICTIONARY).decompress(raw[1:])


def test_a_message_that_nobody_packed_is_read_too(message: dict[str, Any]) -> None:
    plain = json.dumps(message).encode()
    assert not is_packed(plain)
    assert unpacked(plain, most_bytes=MOST_BYTES) == message


def test_a_message_that_would_grow_too_large_is_not_unpacked(message: dict[str, Any]) -> None:
    bomb = zlib.compressobj(9, zdict=b"0")
    huge = b"\x01" + bomb.compress(bytes(100_000_000)) + bomb.flush()
    for raw in (packed(message | {"headers": {"x": "y" * MOST_BYTES}}), json.dumps({"x": "y" * MOST_BYTES}).encode()):
        with pytest.raises(ValueError, match=f"more than {MOST_BYTES} bytes"):
            unpacked(raw, most_bytes=MOST_BYTES)
    with pytest.raises(ValueError, match="cannot be decompressed"):
        unpacked(huge, most_bytes=MOST_BYTES)


def test_a_message_with_something_behind_it_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="does not end"):
        unpacked(packed(message) + b"more", most_bytes=MOST_BYTES)


@given(cut=st.integers(min_value=1, max_value=300), flip=st.integers(min_value=0, max_value=255))
def test_a_spoiled_message_is_refused_or_means_the_same(message: dict[str, Any], cut: int, flip: int) -> None:
    raw = bytearray(packed(message))
    raw[cut] ^= flip
    for spoiled in (bytes(raw), packed(message)[:cut]):
        try:
            read = unpacked(spoiled, most_bytes=MOST_BYTES)
        except ValueError:
            continue
        assert read == message, "a checksum stands at the end"


@pytest.mark.parametrize("raw", [b"", b"\x01", b"5", b"[]", b"{}", b'{"properties": 1, "body": ""}'])
def test_what_is_no_message_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a message|decompressed"):
        unpacked(raw, most_bytes=MOST_BYTES)
