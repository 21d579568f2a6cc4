"""What the agent keeps on a Windows machine, and how it stops there."""

import json
from pathlib import Path

import pytest

from contract.states import ComplianceState, EnforcementState
from tests.windows.fleet import Fleet
from tests.windows.packages import build_setup
from tests.windows.test_jobs import setup_manifest

pytestmark = [pytest.mark.integration, pytest.mark.windows, pytest.mark.timeout(400)]

_READ_STATES = """\
import json, sys, winreg
from worker.platform.windows_mirror import APPS_KEY
def values(path):
    with winreg.OpenKeyEx(winreg.HKEY_LOCAL_MACHINE, path) as key:
        return {(value := winreg.EnumValue(key, i))[0]: value[1] for i in range(winreg.QueryInfoKey(key)[1])}
path = f"{APPS_KEY}\\\\{sys.argv[1]}_1"
messages = ("ComplianceStateMessage", "EnforcementStateMessage")
print(json.dumps([values(path), *(values(f"{path}\\\\{message}") for message in messages)]))
"""
#: What the service does, without its manager.
_SERVE = """\
import sys, time
from pathlib import Path
from worker.platform.windows_service import StopEvent, start_agent
logs = Path("C:/ProgramData/Outrider/logs")
def times_ready():
    return sum(file.read_text("utf-8", "replace").count("ready.") for file in logs.iterdir() if file.is_file())
before, stop = times_ready(), StopEvent()
agent = start_agent(stop)
while times_ready() == before:
    assert agent.poll() is None, "the agent ended"
    time.sleep(0.1)
stop.set()
sys.exit(agent.wait())
"""


def test_the_identity_on_disk_is_sealed_and_the_agent_opens_it(fleet: Fleet) -> None:
    kept = (fleet.device.state / "identity.json").read_bytes()
    assert b"signing_key" not in kept
    assert fleet.device.ask("sync") is not None


@pytest.mark.behaviour("B-59", "2.6 ComplianceStateMessage", "2.6 EnforcementStateMessage")
def test_the_result_of_an_app_stands_in_the_registry(fleet: Fleet, tmp_path: Path) -> None:
    fleet.publish(build_setup(tmp_path / "source", "Mirrored"), "Mirrored", **setup_manifest("Mirrored"))
    fleet.assign("Mirrored")
    fleet.finished("Mirrored")
    (app,) = fleet.device.ask("status", "Mirrored")["apps"]
    shown = fleet.device.run_python("-c", _READ_STATES, app["app_id"])
    assert shown.returncode == 0, shown.stderr
    own, compliance, enforcement = json.loads(shown.stdout)
    assert own["ExitCode"] == 0
    assert json.loads(compliance["ComplianceStateMessage"])["ComplianceState"] == ComplianceState.INSTALLED
    assert json.loads(enforcement["EnforcementStateMessage"])["EnforcementState"] == EnforcementState.SUCCESS


def test_the_service_stops_its_agent_gracefully(fleet: Fleet) -> None:
    fleet.kill_agent()
    try:
        served = fleet.device.run_python("-c", _SERVE)
        assert served.returncode == 0, served.stdout + served.stderr
    finally:
        fleet.start_agent()
