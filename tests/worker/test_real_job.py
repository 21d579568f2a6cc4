"""The agent as a real process: real API, real broker, real store, a real package."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from contract.jobs import JobState
from contract.phases import PHASES
from contract.report import WaitReason
from contract.states import Outcome
from storage.objects.s3_settings import S3Settings
from tests.support.broker import RunningBroker
from tests.worker.real_job import (
    STOP_LIMIT_SECONDS,
    WAIT_SECONDS,
    AgentProcess,
    Plane,
    enrolled_agent,
    real_plane,
    wait_for,
)

pytestmark = pytest.mark.integration


@pytest.fixture
def plane(tmp_path: Path, valkey: RunningBroker, s3_settings: S3Settings) -> Iterator[Plane]:
    with real_plane(tmp_path, s3_settings, broker_url=SecretStr(valkey.control_url)) as made:
        yield made


@pytest.fixture
def agent(tmp_path: Path, plane: Plane) -> AgentProcess:
    return enrolled_agent(tmp_path, plane)


def test_a_job_reaches_a_real_device_and_installs(plane: Plane, agent: AgentProcess) -> None:
    with agent.running():
        plane.deploy()
        wait_for(lambda: agent.app().get("outcome") == "installed", agent)
    assert (agent.home / "editor").read_text(encoding="utf-8") == "the program\n"
    assert agent.app()["raw_exit_code"] == 0


def test_the_control_plane_hears_of_every_phase_and_of_the_result(plane: Plane, agent: AgentProcess) -> None:
    with agent.running():
        plane.deploy()
        wait_for(lambda: plane.job().state is JobState.FINISHED and len(plane.job().phases) == len(PHASES), agent)
    job = plane.job()
    assert (job.outcome, job.raw_exit_code) == (Outcome.INSTALLED, 0)
    assert [phase.phase for phase in sorted(job.phases, key=lambda phase: phase.phase.position)] == list(PHASES)


def test_a_failed_attempt_is_announced_and_made_again_by_itself(plane: Plane, agent: AgentProcess) -> None:
    (agent.home / "fail").touch()
    with agent.running():
        plane.deploy(retryIntervalInMinutes=0.1)
        wait_for(lambda: plane.job().state is JobState.WAITING, agent)
        waiting = plane.job()
        assert (waiting.outcome, waiting.raw_exit_code) == (Outcome.FAILED, 73)
        assert waiting.next_action_reason is WaitReason.RETRY_INTERVAL
        wait_for(lambda: plane.job().state is JobState.FINISHED, agent)
    assert plane.job().outcome is Outcome.INSTALLED
    assert plane.job().attempt == 2


def test_an_agent_killed_while_its_installer_runs_ends_installed_and_the_installer_ran_once(
    plane: Plane, agent: AgentProcess
) -> None:
    (agent.home / "hold").touch()
    with agent.running() as process:
        plane.deploy()
        wait_for((agent.home / "begun").exists, agent)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with agent.running():
        wait_for(lambda: agent.log.read_text(encoding="utf-8").count("ready.") > 2, agent)
        (agent.home / "hold").unlink()
        wait_for(lambda: agent.app().get("outcome") == "installed", agent)
    assert (agent.home / "begun").read_text(encoding="utf-8") == "begun\n"
    assert (agent.home / "ended").read_text(encoding="utf-8") == "ended\n"
    assert agent.app()["raw_exit_code"] is None
    assert agent.app()["attempt"] == 1


def test_an_agent_that_is_told_to_stop_leaves_its_installer_running_and_finds_it_again(
    plane: Plane, agent: AgentProcess
) -> None:
    (agent.home / "hold").touch()
    with agent.running() as process:
        plane.deploy()
        wait_for((agent.home / "begun").exists, agent)
        process.terminate()
        assert process.wait(STOP_LIMIT_SECONDS + WAIT_SECONDS) == 0
    assert not (agent.home / "ended").exists()
    with agent.running():
        wait_for(lambda: agent.log.read_text(encoding="utf-8").count("ready.") > 2, agent)
        (agent.home / "hold").unlink()
        wait_for(lambda: agent.app().get("outcome") == "installed", agent)
    assert (agent.home / "begun").read_text(encoding="utf-8") == "begun\n"
    assert agent.app()["attempt"] == 1


def test_a_second_agent_on_a_device_is_refused_with_a_reason(plane: Plane, agent: AgentProcess) -> None:
    with agent.running():
        wait_for(lambda: "ready." in agent.log.read_text(encoding="utf-8"), agent)
        second = agent.command("run")
    assert second.returncode == 2
    assert "another agent" in second.stderr.casefold() or "already" in second.stderr.casefold()
    assert "Traceback" not in second.stderr
