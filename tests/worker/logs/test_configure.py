import io
import logging
from pathlib import Path

import structlog

from tests.worker.agent_logs import SECRET, json_lines
from worker.logs.files import EXECUTOR, EXTENSION
from worker.logs.level import LogLevel, write_level


def test_each_event_is_a_json_line_with_utc_time_and_what_is_bound(folder: Path) -> None:
    with structlog.contextvars.bound_contextvars(job="j", attempt=2):
        structlog.get_logger("worker.test").info("install done", bytes=5)
    (line,) = json_lines(folder)
    assert line["event"] == "install done"
    assert (line["job"], line["attempt"], line["bytes"], line["level"]) == ("j", 2, 5, "info")
    assert line["timestamp"].endswith("Z")


def test_people_read_one_short_line(folder: Path, people: io.StringIO) -> None:
    structlog.get_logger("worker.test").warning("a report waits", wait_seconds=4)
    assert "warning a report waits wait_seconds=4" in people.getvalue()
    structlog.get_logger("worker.test").info("first\nsecond " + "x" * 5000)
    assert people.getvalue().splitlines()[1].endswith("info    first")


def test_a_traceback_goes_to_the_files_and_not_to_people(folder: Path, people: io.StringIO) -> None:
    try:
        int("x")
    except ValueError:
        structlog.get_logger("worker.test").exception("the phase failed unexpectedly")
    (line,) = json_lines(folder)
    assert "ValueError" in line["exception"]
    assert "ValueError" in (folder / f"{EXTENSION}.log").read_text(encoding="utf-8-sig")
    assert "Traceback" not in people.getvalue()


def test_libraries_log_to_the_same_files_but_never_each_request(folder: Path) -> None:
    logging.getLogger("kombu").warning("broker %s", "gone")
    logging.getLogger("httpx").info("GET http://store/blob?signature=secret")
    assert [line["event"] for line in json_lines(folder)] == ["broker gone"]


def test_no_secret_reaches_any_file_or_person(folder: Path, people: io.StringIO) -> None:
    log = structlog.get_logger("worker.test")
    refusal = f"the broker refused {SECRET}"
    log.info(refusal, broker_secret="x-1", place=f"redis://me:{SECRET}@host/0")
    logging.getLogger("kombu").error("cannot connect to redis://me:%s@host/0", "another-pass")
    structlog.get_logger(EXECUTOR).warning("GET https://store/blob?X-Amz-Signature=abc123&x=1 failed")
    try:
        int(SECRET)
    except ValueError:
        log.exception("unexpected")
    everything = people.getvalue() + "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())
    for secret in (SECRET, "x-1", "another-pass", "abc123"):
        assert secret not in everything
    assert "https://store/blob?[redacted] failed" in everything


def test_scripts_have_a_file_of_their_own(folder: Path) -> None:
    structlog.get_logger(EXECUTOR).info("a script ended", exit_code=3)
    structlog.get_logger("worker.test").info("something else")
    scripts = (folder / f"{EXECUTOR}.log").read_text(encoding="utf-8-sig")
    assert scripts.count("<![LOG[") == 1
    assert 'a script ended exit_code=3]LOG]!><time="' in scripts
    assert len(json_lines(folder)) == 2


def test_how_much_is_logged_changes_while_the_program_runs(folder: Path) -> None:
    log = structlog.get_logger("worker.test")
    log.debug("not yet")
    write_level(folder / "log-level", LogLevel.DEBUG)
    log.debug("now")
    write_level(folder / "log-level", LogLevel.ERROR)
    log.warning("no more")
    (folder / "log-level").unlink()
    log.info("as at first")
    log.debug("but not this")
    assert [line["event"] for line in json_lines(folder)] == ["now", "as at first"]
