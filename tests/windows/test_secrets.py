"""Secrets reach a command on a real Windows API, and nothing of them stays."""

from pathlib import Path

import pytest

from contract.states import Outcome
from tests.windows.fleet import Fleet

pytestmark = [pytest.mark.integration, pytest.mark.windows, pytest.mark.timeout(400)]

#: Keeps what it is given where the test looks, and prints what it must not.
_LICENSED = """\
@echo off
type "%OUTRIDER_SECRETS_DIR%\\licence" > C:\\users\\Public\\licence.given
echo %EDITOR_PASSWORD%> C:\\users\\Public\\password.given
echo %OUTRIDER_SECRETS_DIR%> C:\\users\\Public\\folder.given
echo installing with %EDITOR_PASSWORD%
"""
_VALUES = {"editor-licence": "LIC-7731-QWZX-0042", "editor-password": "correct-horse-battery"}
_SECRETS = [
    {"name": "editor-licence", "file": "licence"},
    {"name": "editor-password", "env": "EDITOR_PASSWORD"},
]
_RULE = {
    "type": "file",
    "path": "C:\\users\\Public",
    "fileOrFolderName": "licence.given",
    "operationType": "exists",
}


def test_a_command_gets_secrets_by_variable_and_by_file_and_none_stays(fleet: Fleet, tmp_path: Path) -> None:
    for name, value in _VALUES.items():
        (tmp_path / name).write_text(value, encoding="utf-8")
        fleet.operator.type("outrider", "secret", "set", name, "--from-file", str(tmp_path / name))
    setup = tmp_path / "source" / "install.cmd"
    setup.parent.mkdir()
    setup.write_text(_LICENSED, encoding="utf-8", newline="\r\n")
    commands = {"installCommandLine": "cmd /c install.cmd", "uninstallCommandLine": "cmd /c exit"}
    fleet.publish(setup, "Licensed", secrets=_SECRETS, detectionRules=[_RULE], **commands)
    fleet.assign("Licensed")
    job = fleet.finished("Licensed")
    assert (job.outcome, job.raw_exit_code) == (Outcome.INSTALLED, 0)
    assert [_given(fleet, "licence"), _given(fleet, "password")] == list(_VALUES.values())
    assert "installing with [redacted]" in job.model_dump_json()
    assert not [value for value in _VALUES.values() if value in job.model_dump_json()]
    assert _given(fleet, "folder").lower().startswith("c:\\programdata\\outrider\\secrets\\")
    assert list((fleet.device.state / "Secrets").iterdir()) == []


def _given(fleet: Fleet, what: str) -> str:
    """What the command kept of what it was given."""
    path = fleet.device.wine.drive_c / "users" / "Public" / f"{what}.given"
    return path.read_text(encoding="utf-8").strip()
