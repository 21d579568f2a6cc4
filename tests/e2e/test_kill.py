"""Real parts killed with kill -9."""

import signal
from pathlib import Path

import psutil
import pytest

from contract.jobs import JobState
from contract.phases import Phase
from contract.states import Outcome
from deploy.local.plan import StandardPart
from tests.e2e.conftest import Demo, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.e2e]

DEVICE = "laptop-new"
SLOW = 'echo begin >> "$HOME/{name}.runs"\nsleep 3\necho end >> "$HOME/{name}.runs"\ntouch "$HOME/{name}"\n'


def _runs(demo: Demo, name: str) -> list[str]:
    path = demo.home(DEVICE) / f"{name}.runs"
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def _finished(demo: Demo, name: str) -> None:
    job = demo.wait_for_job(name, DEVICE, lambda job: job.state is JobState.FINISHED)
    assert job.outcome is Outcome.INSTALLED


def test_an_agent_killed_while_its_installer_runs_ends_installed_by_that_one_run(demo: Demo, tmp_path: Path) -> None:
    demo.publish(tmp_path, "orphan", {"install.sh": SLOW.format(name="orphan")}, detection="orphan")
    demo.assign("orphan", DEVICE)
    wait_until(lambda: _runs(demo, "orphan") == ["begin"])
    agent = demo.agent(DEVICE)
    agent.send_signal(signal.SIGKILL)
    wait_until(lambda: not agent.is_running())
    _finished(demo, "orphan")
    assert _runs(demo, "orphan") == ["begin", "end"]


def test_an_installer_killed_with_its_agent_runs_to_its_end_once(demo: Demo, tmp_path: Path) -> None:
    demo.publish(tmp_path, "power", {"install.sh": SLOW.format(name="power")}, detection="power")
    demo.assign("power", DEVICE)
    wait_until(lambda: _runs(demo, "power") == ["begin"])
    installers = [process for process in psutil.process_iter() if _is_installer(process)]
    assert installers
    for process in [demo.agent(DEVICE), *installers]:
        process.send_signal(signal.SIGKILL)
    _finished(demo, "power")
    assert _runs(demo, "power") == ["begin", "begin", "end"]


def _is_installer(process: psutil.Process) -> bool:
    try:
        return process.environ().get("OUTRIDER_APP_NAME") == "power"
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        return False


@pytest.mark.parametrize("part", [part for part in StandardPart if part is not StandardPart.FLOWER])
def test_a_job_ends_installed_although_a_part_is_killed(demo: Demo, tmp_path: Path, part: StandardPart) -> None:
    name = f"without-{part}"
    demo.publish(tmp_path, name, {"install.sh": SLOW.format(name=name)}, detection=name)
    demo.assign(name, DEVICE)
    killed = psutil.Process(next(state.pid for state in demo.stack.status() if state.name == part))
    killed.send_signal(signal.SIGKILL)
    wait_until(lambda: _runs(demo, name) == ["begin", "end"])
    demo.stack.wait_ready(demo.stack.part(part))
    _finished(demo, name)
    assert _runs(demo, name) == ["begin", "end"]


def test_the_phases_of_a_job_that_was_cut_off_are_all_told(demo: Demo) -> None:
    job = demo.job("orphan", DEVICE)
    assert job is not None
    assert {record.phase for record in job.phases} == set(Phase)
