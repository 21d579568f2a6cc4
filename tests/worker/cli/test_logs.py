"""`outrider-agent logs` and `log-level` as people and scripts use them."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from contract.exit_statuses import ExitStatus
from tests.worker.agent_logs import logging_into
from tests.worker.rig import Rig
from worker.cli.commands import app
from worker.folders import Folders
from worker.identity import save_identity

Invoke = Callable[..., Result]


@pytest.fixture
def folders(rig: Rig) -> Iterator[Folders]:
    """A device that is enrolled and logs."""
    folders = rig.device.folders
    save_identity(rig.identity, folders.identity)
    with logging_into(folders.logs, io.StringIO(), level_file=folders.log_level):
        yield folders


@pytest.fixture
def invoke(folders: Folders) -> Invoke:
    def call(*arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--state-dir", str(folders.state)])

    return call


def test_a_new_devices_log_is_empty(invoke: Invoke) -> None:
    assert (invoke("logs").exit_code, invoke("logs").stdout) == (0, "")


def test_events_are_shown_to_people_and_to_scripts(invoke: Invoke) -> None:
    structlog.get_logger("worker.test").warning("Grüße", app="Editor", bytes=5)
    assert "warning Grüße app=Editor bytes=5" in invoke("logs").stdout
    shown = json.loads(invoke("logs", "--json").stdout)
    assert (shown["event"], shown["bytes"]) == ("Grüße", 5)


def test_only_what_was_asked_for_is_shown(invoke: Invoke) -> None:
    log = structlog.get_logger("worker.test")
    log.info("one", app="Editor", job="j", phase="install")
    log.error("two", app="Viewer", job="k", phase="detect")
    for arguments in (["--app", "viewer"], ["--job", "k"], ["--phase", "detect"], ["--level", "error"]):
        assert [json.loads(line)["event"] for line in invoke("logs", *arguments, "--json").stdout.splitlines()] == [
            "two"
        ]
    assert invoke("logs", "--since", "2099-01-01").stdout == ""


@pytest.mark.parametrize("arguments", [["--since", "soon"], ["--level", "loud"], ["--phase", "lunch"]])
def test_a_wrong_argument_is_refused(invoke: Invoke, arguments: list[str]) -> None:
    result = invoke("logs", *arguments)
    assert result.exit_code == ExitStatus.USAGE
    assert arguments[1] in result.stderr


@pytest.mark.parametrize("command", ["logs", "log-level"])
def test_a_device_that_is_not_enrolled_is_told_how(tmp_path: Path, command: str) -> None:
    result = CliRunner().invoke(app, [command, "--state-dir", str(tmp_path)])
    assert result.exit_code == ExitStatus.USAGE
    assert "outrider-agent enroll" in result.stderr


@pytest.mark.parametrize("command", ["logs", "log-level"])
def test_each_help_has_an_example_and_the_exit_statuses(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert "Example" in result.stdout
    assert "Exit status: 0" in result.stdout


def test_following_goes_on_until_ctrl_c(folders: Folders) -> None:
    command = [sys.executable, "-m", "worker.cli.main", "logs", "--follow", "--json", "--state-dir", str(folders.state)]
    log = structlog.get_logger("worker.test")
    log.info("before")
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["event"] == "before"
        log.info("while it follows")
        assert json.loads(process.stdout.readline())["event"] == "while it follows"
        process.send_signal(signal.SIGINT)
    assert process.returncode == ExitStatus.INTERRUPTED


@pytest.mark.behaviour("B-27")
def test_the_level_is_shown_and_changed_for_an_agent_that_runs(invoke: Invoke) -> None:
    log = structlog.get_logger("worker.test")
    assert json.loads(invoke("log-level", "--json").stdout) == {"level": "info"}
    log.debug("unheard")
    assert "debug" in invoke("log-level", "debug").stdout
    log.debug("heard")
    assert [json.loads(line)["event"] for line in invoke("logs", "--json").stdout.splitlines()] == ["heard"]
