import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from worker.logs import FILE_NAME, configure_logs


@pytest.fixture
def people() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def folder(tmp_path: Path, people: io.StringIO) -> Iterator[Path]:
    root = logging.getLogger()
    before, level = root.handlers, root.level
    configure_logs(tmp_path, stream=people)
    yield tmp_path
    for handler in root.handlers:
        handler.close()
    root.handlers, root.level = before, level
    structlog.reset_defaults()


def _lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / FILE_NAME).read_text(encoding="utf-8").splitlines()]


def test_each_event_is_a_json_line_with_utc_time_and_what_is_bound(folder: Path) -> None:
    with structlog.contextvars.bound_contextvars(job="j", attempt=2):
        structlog.get_logger("worker.test").info("install done", bytes=5)
    (line,) = _lines(folder)
    assert line["event"] == "install done"
    assert (line["job"], line["attempt"], line["bytes"], line["level"]) == ("j", 2, 5, "info")
    assert str(line["timestamp"]).endswith("Z")


def test_people_read_one_short_line(folder: Path, people: io.StringIO) -> None:
    structlog.get_logger("worker.test").warning("a report waits", wait_seconds=4)
    assert "warning a report waits wait_seconds=4" in people.getvalue()


def test_a_traceback_goes_to_the_file_and_not_to_people(folder: Path, people: io.StringIO) -> None:
    try:
        int("x")
    except ValueError:
        structlog.get_logger("worker.test").exception("the phase failed unexpectedly")
    (line,) = _lines(folder)
    assert "ValueError" in str(line["exception"])
    assert "Traceback" not in people.getvalue()


def test_libraries_log_to_the_same_file_but_never_a_whole_url(folder: Path) -> None:
    logging.getLogger("kombu").warning("broker %s", "gone")
    logging.getLogger("httpx").info("GET http://store/blob?signature=secret")
    assert [line["event"] for line in _lines(folder)] == ["broker gone"]
