"""The units, as systemd itself judges them and as the programs they start need them."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from control.server.main import app as control_app
from worker.settings import AgentSettings

UNITS = sorted((Path(__file__).parents[2] / "deploy" / "systemd").glob("*.service"))
PROGRAMS = "/opt/outrider/bin/"


def _unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep the case of names
    (path,) = (unit for unit in UNITS if unit.stem == name)
    parser.read(path, encoding="utf-8")
    return parser


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    copy = tmp_path / unit.name
    program = unit.read_text(encoding="utf-8").partition(PROGRAMS)[2].split()[0]
    copy.write_text(unit.read_text(encoding="utf-8").replace(PROGRAMS + program, sys.executable), encoding="utf-8")
    found = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


def test_an_installer_survives_the_agent_and_the_phase_in_progress_may_finish() -> None:
    service = _unit("outrider-agent")["Service"]
    assert service["KillMode"] == "process"
    assert service["Restart"] == "always"
    assert float(service["TimeoutStopSec"]) > AgentSettings().stop_limit_seconds
    for takes_from_installers in ("ProtectSystem", "ProtectHome", "PrivateTmp", "NoNewPrivileges"):
        assert takes_from_installers not in service


@pytest.mark.parametrize("part", ["api", "worker", "scheduler"])
def test_each_part_of_the_control_plane_has_a_unit_that_starts_it_without_root(part: str) -> None:
    service = _unit(f"outrider-control-{part}")["Service"]
    program, command, *_options = service["ExecStart"].split()
    assert (program, command) == (f"{PROGRAMS}outrider-control", part)
    assert command in {found.callback.__name__ for found in control_app.registered_commands if found.callback}
    assert (service["User"], service["ProtectSystem"]) == ("outrider", "strict")


def test_no_unit_holds_a_secret() -> None:
    for unit in UNITS:
        assert "URL=" not in unit.read_text(encoding="utf-8")
        assert "SECRET" not in unit.read_text(encoding="utf-8").upper()
