"""Reading logs back while they are written and closed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from worker.logs.reading import events
from worker.logs.rotation import KEPT_FILES, StampedRotatingFile, rotated


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agent.jsonl"


class Writer:
    """Writes numbered events and closes the file when told."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._number = 0

    def write(self, count: int = 1) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            for number in range(self._number, self._number + count):
                file.write(json.dumps({"event": "e", "number": number}) + "\n")
        self._number += count

    def close_file(self) -> None:
        file = StampedRotatingFile(self._path)
        file.roll_over()
        file.close()


@pytest.fixture
def writer(path: Path) -> Writer:
    return Writer(path)


def _numbers(path: Path, *between: Callable[[], object]) -> list[int]:
    """The numbers read, when `between` happens one by one whenever the end was reached."""
    happenings = iter(between)

    def more() -> bool:
        happening = next(happenings, None)
        if happening is not None:
            happening()
        return happening is not None

    return [event["number"] for event in events(path, more=more)]


def test_a_log_that_was_never_written_is_empty(path: Path) -> None:
    assert list(events(path)) == []


def test_all_files_are_read_the_oldest_first(path: Path, writer: Writer) -> None:
    for _ in range(3):
        writer.write(2)
        writer.close_file()
    writer.write(1)
    assert len(rotated(path)) == 3
    assert _numbers(path) == list(range(7))


def test_following_shows_what_is_written_later(path: Path, writer: Writer) -> None:
    writer.write()
    assert _numbers(path, lambda: writer.write(2), lambda: None, writer.write) == [0, 1, 2, 3]


def test_following_a_log_that_does_not_exist_yet_finds_it(path: Path) -> None:
    assert _numbers(path, lambda: None, lambda: Writer(path).write(2)) == [0, 1]


def test_following_misses_nothing_when_files_are_closed_meanwhile(path: Path, writer: Writer) -> None:
    def write_and_close() -> None:
        writer.write(2)
        writer.close_file()
        writer.write(2)

    def close_twice() -> None:
        write_and_close()
        write_and_close()

    writer.write()
    assert _numbers(path, write_and_close, close_twice, lambda: None, writer.write) == list(range(14))


def test_following_goes_on_with_the_oldest_kept_where_more_were_closed_than_are_kept(
    path: Path, writer: Writer
) -> None:
    def close_many() -> None:
        for _ in range(KEPT_FILES + 3):
            writer.write()
            writer.close_file()
        writer.write()

    writer.write()
    seen = _numbers(path, close_many)
    written = list(range(KEPT_FILES + 5))
    in_the_file_that_was_open = written[:2]
    assert seen == in_the_file_that_was_open + written[-KEPT_FILES - 1 :]


def test_a_line_that_is_half_written_is_shown_once_it_is_whole(path: Path) -> None:
    path.write_text('{"num', encoding="utf-8")

    def rest() -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write('ber": 5}\n')

    assert _numbers(path, lambda: None, rest) == [5]


def test_a_torn_line_and_bytes_that_are_no_text_do_not_end_the_reading(path: Path) -> None:
    path.write_bytes(b'{"event": "torn, then\n\xff\xfe\n[1]\n{"event": "whole"}\n{"event": "cut')
    assert [event["event"] for event in events(path)] == [
        '{"event": "torn, then',
        "\ufffd\ufffd",
        "[1]",
        "whole",
        '{"event": "cut',
    ]


def test_memory_stays_bounded_however_long_the_log(path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f'{{"number": {number}}}\n' for number in range(50_000))
    reading: Iterator[dict[str, int]] = events(path)
    assert next(reading)["number"] == 0
    assert sum(1 for _ in reading) == 49_999


def test_no_file_stays_open_after_reading(path: Path, writer: Writer) -> None:
    writer.write()
    assert _numbers(path) == [0]
    assert [file.path for file in psutil.Process().open_files() if file.path == str(path)] == []
