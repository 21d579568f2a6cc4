"""Zip records to the byte, up to zip64; the standard library reads what they describe."""

import io
import struct
import zipfile

import pytest

from storage.intunewin.zip_records import (
    DEFLATED,
    INNER,
    OLD_INNER,
    OUTER,
    STORED,
    Dialect,
    ZipEntry,
    central_record,
    descriptor,
    end_records,
    local_header,
)
from storage.intunewin.zip_stream import ZipStream

BIG = 5 << 30


def entry(**changes: int | bytes) -> ZipEntry:
    fields: dict[str, int | bytes] = {
        "name": b"a",
        "method": STORED,
        "dos_time": 0x1234_5678,
        "crc": 7,
        "packed": 10,
        "size": 10,
        "offset": 0,
    }
    return ZipEntry(**{**fields, **changes})  # type: ignore[arg-type]


def test_the_outer_header_is_the_original_tools() -> None:
    assert local_header(entry(), OUTER).hex() == (
        "504b0304" "0a00" "0000" "0000" "7856" "3412" "07000000" "0a000000" "0a000000" "0100" "1c00" "61"
        "20a2180028a01400" + "00" * 20
    )  # fmt: skip
    assert central_record(entry(), OUTER)[4:8].hex() == "2d000a00"


def test_the_inner_header_marks_names_as_utf8_and_has_no_extra() -> None:
    assert local_header(entry(method=DEFLATED), INNER).hex().startswith("504b0304" "1400" "0008" "0800")  # fmt: skip
    assert len(local_header(entry(), INNER)) == 31
    assert central_record(entry(), INNER)[4:8].hex() == "14001400"


@pytest.mark.parametrize("dialect", [OUTER, OLD_INNER, INNER])
def test_a_header_keeps_its_length_when_its_sizes_become_known(dialect: Dialect) -> None:
    assert len(local_header(entry(packed=BIG, size=BIG), dialect)) == len(local_header(entry(), dialect))


def test_the_growth_hint_gives_way_to_zip64_sizes() -> None:
    header = local_header(entry(packed=BIG + 1, size=BIG), OUTER)
    assert struct.unpack_from("<2L", header, 18) == (0xFFFFFFFF, 0xFFFFFFFF)
    assert struct.unpack("<2H2Q4H", header[31:]) == (1, 16, BIG, BIG + 1, 0xA220, 4, 0xA028, 20)
    assert descriptor(entry(packed=BIG, size=BIG), OUTER) == b""


def test_a_large_inner_entry_carries_its_sizes_behind_its_data() -> None:
    large = entry(packed=BIG, size=BIG + 1)
    header = local_header(large, INNER)
    assert struct.unpack_from("<2H", header, 4) == (45, 0x0808)
    assert struct.unpack_from("<3L", header, 14) == (0, 0, 0)
    assert struct.unpack("<LQQ", descriptor(large, INNER)) == (7, BIG, BIG + 1)


@pytest.mark.parametrize(
    ("changes", "wide"),
    [
        ({"size": BIG}, [BIG, 10]),
        ({"packed": BIG}, [10, BIG]),
        ({"offset": BIG}, [BIG]),
        ({"size": BIG, "offset": BIG + 1}, [BIG, 10, BIG + 1]),
    ],
)
def test_the_directory_widens_what_does_not_fit(changes: dict[str, int], wide: list[int]) -> None:
    record = central_record(entry(**changes), INNER)
    assert list(struct.unpack(f"<2H{len(wide)}Q", record[47:]))[2:] == wide
    assert record[4:8].hex() == "2d002d00"


@pytest.mark.parametrize(("count", "size", "offset"), [(65_535, 10, 10), (1, 1 << 32, 10), (1, 10, 1 << 32)])
def test_the_end_widens_too(count: int, size: int, offset: int) -> None:
    end = end_records(count, size, offset)
    assert struct.unpack_from("<4sQ2H2L4Q", end)[6:] == (count, count, size, offset)
    assert struct.unpack_from("<4sLQL", end, 56) == (b"PK\x06\x07", 0, offset + size, 1)
    assert len(end_records(65_534, 10, 10)) == 22


def test_more_entries_than_16_bits_count_are_read_by_the_standard_library() -> None:
    output = io.BytesIO()
    with ZipStream(output, INNER) as target:
        for index in range(66_000):
            target.add(b"%d" % index, 0x2100_0000, b"", crc=0, size=0, method=STORED)
    with zipfile.ZipFile(output) as archive:
        assert len(archive.infolist()) == 66_000
