"""A source must hold what was announced, and the last byte proves it."""

import io

import pytest

from contract.errors import InputError
from storage.objects.sized import SizedReader


def test_exactly_the_announced_bytes_pass() -> None:
    reader = SizedReader(io.BytesIO(b"0123456789"), 10, place="key")
    assert [reader.read(4), reader.read(4), reader.read(4), reader.read(4)] == [b"0123", b"4567", b"89", b""]


def test_the_last_bytes_of_a_longer_source_are_never_handed_over() -> None:
    reader = SizedReader(io.BytesIO(b"0123456789+"), 10, place="key")
    assert reader.read(8) == b"01234567"
    with pytest.raises(InputError, match="announced 10 bytes; after 10 bytes it goes on"):
        reader.read(8)


def test_a_source_that_ends_early_fails_where_it_ends() -> None:
    reader = SizedReader(io.BytesIO(b"01234"), 10, place="key")
    assert reader.read(8) == b"01234"
    with pytest.raises(InputError, match="announced 10 bytes; after 5 bytes it ended early"):
        reader.read(8)


def test_short_reads_of_a_slow_source_are_no_end() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(1)

    reader = SizedReader(Slow(b"abc"), 3, place="key")
    assert [reader.read(10) for _ in range(4)] == [b"a", b"b", b"c", b""]


def test_nothing_may_be_announced_and_held() -> None:
    assert SizedReader(io.BytesIO(b""), 0, place="key").read() == b""
    with pytest.raises(InputError):
        SizedReader(io.BytesIO(b"x"), 0, place="key").read()
