"""Deflate: the exact one is zlib's, the fast one is read by everyone."""

import os
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from storage.intunewin.deflate import Deflate, ExactDeflate, FastDeflate, is_exact
from storage.intunewin.inner_zip import UnzipLimits

CONTENTS = {
    "text": b"all work and no play makes a dull file\n" * 60_000,
    "noise": os.urandom(2_500_000),
    "zeros": bytes(3_000_000),
    "nothing": b"",
}


def streamed(deflate: Deflate, data: bytes) -> bytes:
    with ThreadPoolExecutor(2) as executor:
        pieces = (data[start : start + 100_000] for start in range(0, len(data), 100_000))
        return b"".join(deflate.stream(pieces, executor))


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("deflate", [ExactDeflate(), FastDeflate()])
def test_both_ways_give_what_every_reader_unpacks(deflate: Deflate, content: str) -> None:
    data = CONTENTS[content]
    for packed in (deflate.whole(data), streamed(deflate, data)):
        decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
        assert decompressor.decompress(packed) == data
        assert decompressor.eof
        assert not decompressor.unused_data


@pytest.mark.parametrize("content", CONTENTS)
def test_the_exact_stream_does_not_depend_on_how_the_file_is_read(content: str) -> None:
    assert streamed(ExactDeflate(), CONTENTS[content]) == ExactDeflate().whole(CONTENTS[content])


def test_zeros_are_packed_no_tighter_than_readers_accept() -> None:
    zeros = CONTENTS["zeros"]
    for deflate in (ExactDeflate(), FastDeflate()):
        assert len(zeros) < UnzipLimits().max_ratio * len(deflate.whole(zeros))


def test_this_python_has_zlib_itself() -> None:
    if "ng" in zlib.ZLIB_RUNTIME_VERSION:
        pytest.skip("this Python has zlib-ng")
    assert is_exact()


def test_a_replacement_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExactDeflate, "whole", lambda _self, data: zlib.compress(data, 9, -15))
    assert not is_exact()
