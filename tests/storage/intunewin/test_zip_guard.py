"""A zip whose directory would fill the memory is refused before the standard library reads it."""

import io
import struct
import zipfile

import pytest

from storage.intunewin.zip_guard import directory_bytes, guard_directory


def zip_of(count: int, comment: bytes = b"") -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        for index in range(count):
            archive.writestr(str(index), b"")
        archive.comment = comment
    return output.getvalue()


@pytest.mark.parametrize("comment", [b"", b"a comment", b"PK\x05\x06 in a comment of more than twenty-two bytes"])
def test_the_size_is_the_one_the_standard_library_would_read(comment: bytes) -> None:
    data = zip_of(3, comment)
    if b"PK" in comment:
        with pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(io.BytesIO(data))
    else:
        assert directory_bytes(io.BytesIO(data)) == 3 * 47


def test_a_zip64_size_counts_wherever_it_stands() -> None:
    huge = 1 << 40
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, huge, 0)
    small = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 10, 0)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 10, 0, 0)
    for first, second in ((record, small), (small, record)):
        locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
        assert directory_bytes(io.BytesIO(first + second + locator + end)) == huge


def test_a_directory_beyond_the_limit_is_refused() -> None:
    guard_directory(io.BytesIO(zip_of(3)), max_bytes=3 * 47)
    with pytest.raises(zipfile.BadZipFile, match="141 bytes"):
        guard_directory(io.BytesIO(zip_of(3)), max_bytes=3 * 47 - 1)


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06", bytes(22)])
def test_what_has_no_end_record_is_refused(data: bytes) -> None:
    with pytest.raises(zipfile.BadZipFile):
        directory_bytes(io.BytesIO(data))
