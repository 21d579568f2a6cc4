"""The agent as a real process: real API, real broker, real store, a real package."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from contract.jobs import JobState
from contract.phases import PHASES
from contract.report import WaitReason
from contract.states import Intent, Outcome
from control.answers.jobs import device_jobs
from control.answers.moment import this_moment
from control.api.app import create_app
from control.bootstrap import initialise, make_publisher, make_services
from control.catalog.assignments import assign
from control.catalog.manifest import Manifest
from control.catalog.revisions import add_revision
from control.fleet.devices import find_device
from control.fleet.enrollment_tokens import Place, create_enrollment_token
from control.fleet.groups import create_group
from control.services import Services
from control.settings import ControlSettings
from control.views.jobs import JobDetail
from control.work import dispatch_now, plan_now
from deploy.local.polling import wait_until
from deploy.local.ports import HOST, find_free_port
from storage.intunewin.builder import build_package
from storage.objects.s3_settings import S3Settings
from tests.support.broker import RunningBroker
from tests.support.served import served

pytestmark = pytest.mark.integration

INSTALL = """\
if [ -f "$HOME/fail" ]; then rm "$HOME/fail"; exit 73; fi
echo begun >> "$HOME/begun"
while [ -f "$HOME/hold" ]; do sleep 0.05; done
cp editor.txt "$HOME/editor"
echo ended >> "$HOME/ended"
"""
WAIT_SECONDS = 30
STOP_LIMIT_SECONDS = 2


@dataclass
class Plane:
    """A control plane whose database, broker, store and API are real."""

    services: Services
    settings: ControlSettings
    package: Path

    def token(self) -> str:
        now = self.services.clock.now()
        with self.services.database.transaction() as session:
            group = create_group(session, "desks", now)
            lifetime = timedelta(hours=1)
            return create_enrollment_token(
                session, Place(group.id), uses=1, lifetime=lifetime, created_by="test", now=now
            )[0]

    def deploy(self, **changes: Any) -> None:
        manifest = Manifest.model_validate(
            {
                "name": "Editor",
                "displayVersion": "1.0",
                "publisher": "Example",
                "installCommandLine": "sh install.sh",
                "uninstallCommandLine": "sh uninstall.sh",
                "detectionRules": [{"type": "file", "path": "%HOME%", "fileOrFolderName": "editor"}],
                **changes,
            }
        )
        stored, now = self.services.packages.take(self.package), self.services.clock.now()
        with self.services.database.transaction() as session:
            add_revision(session, manifest, stored.digest, policies=self.services.policies, now=now)
            assign(session, "Editor", "desks", Intent.REQUIRED, now)
        plan_now(self.services)
        dispatch_now(self.services, make_publisher(self.settings))

    def job(self) -> JobDetail:
        with self.services.database.snapshot() as session:
            (job,) = device_jobs(session, find_device(session, "desk-1").id, this_moment(self.services))
        return job


@dataclass
class AgentProcess:
    """One device: its home, its state folder and its program."""

    home: Path
    log: Path

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "worker.cli.main", *arguments]
        return subprocess.run(command, env=self._environment(), capture_output=True, text=True, check=False)

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "worker.cli.main", "run"], env=self._environment(), stdout=log, stderr=log
            )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(WAIT_SECONDS)

    def app(self) -> dict[str, Any]:
        shown = json.loads(self.command("status", "--json").stdout)
        return shown["apps"][0] if shown["apps"] else {}

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "OUTRIDER_AGENT_STATE_DIR": str(self.home / "state"),
            "OUTRIDER_AGENT_STOP_LIMIT_SECONDS": str(STOP_LIMIT_SECONDS),
        }


@pytest.fixture
def plane(tmp_path: Path, valkey: RunningBroker, s3_settings: S3Settings) -> Iterator[Plane]:
    port = find_free_port()
    settings = ControlSettings(
        database_url=SecretStr(f"sqlite:///{tmp_path / 'control.db'}"),
        broker_url=SecretStr(valkey.control_url),
        s3_endpoint=s3_settings.endpoint_url,
        s3_bucket=s3_settings.bucket,
        s3_access_key=s3_settings.access_key,
        s3_secret_key=s3_settings.secret_key,
        state_dir=tmp_path / "control",
        public_url=f"http://{HOST}:{port}",
    )
    initialise(settings)
    services = make_services(settings)
    source = tmp_path / "source"
    source.mkdir()
    (source / "install.sh").write_text(INSTALL, encoding="utf-8")
    (source / "editor.txt").write_text("the program\n", encoding="utf-8")
    with served(create_app(services), port=port):
        yield Plane(services, settings, build_package(source, "install.sh", tmp_path).path)
    services.database.close()


@pytest.fixture
def agent(tmp_path: Path, plane: Plane) -> AgentProcess:
    home = tmp_path / "home"
    home.mkdir()
    device = AgentProcess(home, tmp_path / "agent.log")
    enrolled = device.command("enroll", plane.settings.public_url, plane.token(), "--name", "desk-1", "--json")
    assert enrolled.returncode == 0, enrolled.stderr
    return device


def _wait(condition: Callable[[], bool], agent: AgentProcess) -> None:
    wait_until(condition, seconds=WAIT_SECONDS)
    assert condition(), agent.log.read_text(encoding="utf-8")


def test_a_job_reaches_a_real_device_and_installs(plane: Plane, agent: AgentProcess) -> None:
    with agent.running():
        plane.deploy()
        _wait(lambda: agent.app().get("outcome") == "installed", agent)
    assert (agent.home / "editor").read_text(encoding="utf-8") == "the program\n"
    assert agent.app()["raw_exit_code"] == 0


def test_the_control_plane_hears_of_every_phase_and_of_the_result(plane: Plane, agent: AgentProcess) -> None:
    with agent.running():
        plane.deploy()
        _wait(lambda: plane.job().state is JobState.FINISHED and len(plane.job().phases) == len(PHASES), agent)
    job = plane.job()
    assert (job.outcome, job.raw_exit_code) == (Outcome.INSTALLED, 0)
    assert [phase.phase for phase in sorted(job.phases, key=lambda phase: phase.phase.position)] == list(PHASES)


def test_a_failed_attempt_is_announced_and_made_again_by_itself(plane: Plane, agent: AgentProcess) -> None:
    (agent.home / "fail").touch()
    with agent.running():
        plane.deploy(retryIntervalInMinutes=0.05)
        _wait(lambda: plane.job().state is JobState.WAITING, agent)
        waiting = plane.job()
        assert (waiting.outcome, waiting.raw_exit_code) == (Outcome.FAILED, 73)
        assert waiting.next_action_reason is WaitReason.RETRY_INTERVAL
        _wait(lambda: plane.job().state is JobState.FINISHED, agent)
    assert plane.job().outcome is Outcome.INSTALLED
    assert plane.job().attempt == 2


def test_an_agent_killed_while_its_installer_runs_ends_installed_and_the_installer_ran_once(
    plane: Plane, agent: AgentProcess
) -> None:
    (agent.home / "hold").touch()
    with agent.running() as process:
        plane.deploy()
        _wait((agent.home / "begun").exists, agent)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with agent.running():
        _wait(lambda: agent.log.read_text(encoding="utf-8").count("ready.") > 2, agent)
        (agent.home / "hold").unlink()
        _wait(lambda: agent.app().get("outcome") == "installed", agent)
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
        _wait((agent.home / "begun").exists, agent)
        process.terminate()
        assert process.wait(STOP_LIMIT_SECONDS + WAIT_SECONDS) == 0
    assert not (agent.home / "ended").exists()
    with agent.running():
        _wait(lambda: agent.log.read_text(encoding="utf-8").count("ready.") > 2, agent)
        (agent.home / "hold").unlink()
        _wait(lambda: agent.app().get("outcome") == "installed", agent)
    assert (agent.home / "begun").read_text(encoding="utf-8") == "begun\n"
    assert agent.app()["attempt"] == 1


def test_a_second_agent_on_a_device_is_refused_with_a_reason(plane: Plane, agent: AgentProcess) -> None:
    with agent.running():
        _wait(lambda: "ready." in agent.log.read_text(encoding="utf-8"), agent)
        second = agent.command("run")
    assert second.returncode == 2
    assert "another agent" in second.stderr.casefold() or "already" in second.stderr.casefold()
    assert "Traceback" not in second.stderr
