"""An outside parser of the original's logs reads ours, record by record."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from dissect.target import Target
from dissect.target.filesystem import VirtualFilesystem
from dissect.target.plugins.os.windows.log.agentexecutor import AgentExecutorLogPlugin
from dissect.target.plugins.os.windows.log.intunemanagementextension import IntuneManagementExtensionLogParserPlugin

from tests.worker.agent_logs import json_lines, logging_into
from worker.logs.files import EXECUTOR, EXTENSION
from worker.logs.rotation import rotated

MESSAGES = [
    "EMS Agent Started",
    "two\nlines",
    "Windows\r\nlines\r\n\r\nwith a gap",
    "Grüße aus Köln, 世界, Ñandú 🎉",
    'C:\\Windows\\IMECache\\a_1 "quoted" <tag attribute="x">',
    "a record in a message <![LOG[inner]LOG]!><time=",
    "",
    "x" * 40_000,
]

Parse = Callable[[Path], list[Any]]


def _target(folder: Path) -> Target:
    """A Windows disk that has our files where the original has its own."""
    files = VirtualFilesystem()
    logs = "ProgramData/Microsoft/IntuneManagementExtension/Logs"
    for path in folder.glob("*.log"):
        prefix = "Intune" if path.name.startswith(EXTENSION) else ""
        files.map_file(f"{logs}/{prefix}{path.name}", str(path))
    target = Target()
    target.filesystems.add(files)
    target.fs.mount("sysvol", files)
    return target


def _extension_records(folder: Path) -> list[Any]:
    plugin = IntuneManagementExtensionLogParserPlugin(_target(folder))
    plugin.check_compatible()
    return list(plugin.intunemanagementextension())


def _executor_records(folder: Path) -> list[Any]:
    plugin = AgentExecutorLogPlugin(_target(folder))
    plugin.check_compatible()
    return list(plugin.agentexecutor())


def _as_parsed(message: str) -> str:
    return message.replace("\r", "").replace("\n", " ").strip()


@pytest.mark.behaviour("2.1 envelope")
def test_every_record_is_found_with_its_message_level_and_component(folder: Path) -> None:
    log = structlog.get_logger("worker.test")
    for message in MESSAGES:
        log.warning(message)
    written = json_lines(folder)
    records = _extension_records(folder)
    assert len(records) == len(written) == len(MESSAGES)
    assert {(record.component, record.type, record.context) for record in records} == {(EXTENSION, "2", "")}
    for record, message in zip(records, MESSAGES, strict=True):
        assert record.message == _as_parsed(message).replace("]LOG]!>", "]LOG]! >")
        assert int(record.thread) > 0


@pytest.mark.behaviour("2.1 envelope")
def test_scripts_are_found_too(folder: Path) -> None:
    log = structlog.get_logger(EXECUTOR)
    log.info("a script began\nof two lines, 世界")
    log.error("a script failed")
    assert [(record.type, record.message) for record in _executor_records(folder)] == [
        ("1", "a script began\nof two lines, 世界"),
        ("3", "a script failed"),
    ]


@pytest.mark.behaviour("2.1 rotation")
def test_every_record_is_found_across_files_that_were_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.logs.rotation.KEPT_FILES", 100)
    count = 300
    with logging_into(tmp_path, io.StringIO()):
        for number in range(count):
            structlog.get_logger("worker.test").info(f"{number} " + "Grüße\n" * 4000)
    assert len(rotated(tmp_path / f"{EXTENSION}.log")) > 2
    numbers = sorted(int(record.message.split()[0]) for record in _extension_records(tmp_path))
    assert numbers == list(range(count))
