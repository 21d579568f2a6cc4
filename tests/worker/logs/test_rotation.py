import codecs
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from worker.logs.rotation import KEPT_FILES, StampedRotatingFile, rotated

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOM = codecs.BOM_UTF8

Write = Callable[[str], None]


class Ticking:
    """A time that goes on by a minute whenever it is asked for."""

    def __init__(self, step: timedelta) -> None:
        self._at, self._step = START - step, step

    def __call__(self) -> datetime:
        self._at += self._step
        return self._at


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ManagementExtension.log"


def _writer(path: Path, *, step: timedelta = timedelta(minutes=1)) -> Iterator[Write]:
    file = StampedRotatingFile(path, line_end="\r\n", head=BOM, max_bytes=200, now=Ticking(step))
    yield file.write
    file.close()


@pytest.fixture
def write(path: Path) -> Iterator[Write]:
    yield from _writer(path)


def test_a_full_file_is_closed_under_the_time_it_was_closed(path: Path, write: Write) -> None:
    for _ in range(3):
        write("x" * 90)
    (closed,) = rotated(path)
    assert closed.name == "ManagementExtension-20260301-120000.log"
    assert closed.read_bytes() == BOM + (b"x" * 90 + b"\r\n") * 2
    assert path.read_bytes() == BOM + b"x" * 90 + b"\r\n"


def test_so_many_closed_files_are_kept_and_the_oldest_go(path: Path, write: Write) -> None:
    for number in range(20):
        write(f"{number:03}" + "x" * 180)
    closed = rotated(path)
    assert len(closed) == KEPT_FILES
    assert [file.read_text(encoding="utf-8-sig")[:3] for file in closed] == ["015", "016", "017", "018"]
    assert path.read_text(encoding="utf-8-sig")[:3] == "019"


def test_two_closed_within_a_second_keep_their_order_and_their_content(path: Path) -> None:
    for write in _writer(path, step=timedelta()):
        for number in range(4):
            write(f"{number}" + "x" * 180)
    assert [file.read_text(encoding="utf-8-sig")[0] for file in rotated(path)] == ["0", "1", "2"]


def test_a_clock_that_was_set_back_does_not_mix_the_files_up(path: Path) -> None:
    for write in _writer(path, step=timedelta(hours=-1)):
        for number in range(9):
            write(f"{number}" + "x" * 180)
    assert [file.read_text(encoding="utf-8-sig")[0] for file in rotated(path)] == ["4", "5", "6", "7"]


def test_a_program_that_starts_again_goes_on_in_the_same_file_with_one_mark_at_its_head(path: Path) -> None:
    for text in ("first", "second"):
        for write in _writer(path):
            write(text)
    assert path.read_bytes() == BOM + b"first\r\nsecond\r\n"


def test_a_log_whose_file_somebody_removed_goes_on(path: Path, write: Write) -> None:
    write("x" * 180)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        write("y" * 180)
    write("z")
    assert path.read_bytes() == BOM + b"z\r\n"


def test_text_that_is_no_unicode_is_written_all_the_same(path: Path, write: Write) -> None:
    write("lone \ud800 surrogate")
    assert path.read_text(encoding="utf-8-sig") == "lone \\ud800 surrogate\n"


def test_other_files_beside_it_are_left_alone(path: Path, write: Write) -> None:
    other = path.with_name("ManagementExtension-notes.log")
    other.touch()
    for _ in range(20):
        write("x" * 180)
    assert other.exists()
