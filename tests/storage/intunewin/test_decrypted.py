"""The plain content as a seekable stream over the ciphertext."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.intunewin.blob import HEADER_BYTES
from storage.intunewin.decrypted import DecryptedReader
from storage.intunewin.keys import ContentKeys
from storage.intunewin.seal import encrypt_blob

PLAIN = bytes(number * number % 251 for number in range(1_000))
SEALED = io.BytesIO()
ENCRYPTION = encrypt_blob(io.BytesIO(PLAIN), SEALED, keys=ContentKeys.fresh()).encryption


@given(steps=st.lists(st.tuples(st.integers(0, 1_100), st.integers(0, 300))))
def test_any_part_reads_as_it_was(steps: list[tuple[int, int]]) -> None:
    reader = DecryptedReader.buffered(io.BytesIO(SEALED.getvalue()), ENCRYPTION, len(PLAIN))
    for position, size in steps:
        reader.seek(position)
        assert reader.read(size) == PLAIN[position : position + size]


def test_positions_count_from_every_side() -> None:
    reader = DecryptedReader(io.BytesIO(SEALED.getvalue()), ENCRYPTION, len(PLAIN))
    assert reader.seek(-10, io.SEEK_END) == 990
    assert reader.read() == PLAIN[990:]
    assert reader.seek(-5, io.SEEK_CUR) == 995
    with pytest.raises(ValueError, match="before the start"):
        reader.seek(-1)


def test_the_padding_is_never_read() -> None:
    reader = DecryptedReader(io.BytesIO(SEALED.getvalue()), ENCRYPTION, len(PLAIN))
    reader.seek(999)
    assert reader.read(100) == PLAIN[999:]
    assert len(SEALED.getvalue()) > HEADER_BYTES + len(PLAIN)
