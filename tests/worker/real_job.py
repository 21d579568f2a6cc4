"""A control plane whose parts are all real, and an agent that is a process, for tests of whole jobs."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from contract.states import Intent
from control.answers.jobs import device_jobs
from control.answers.moment import this_moment
from control.bootstrap import make_publishers
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
from storage.intunewin.builder import build_package
from storage.objects.s3_settings import S3Settings
from tests.support.control_plane import served_control_plane

INSTALL = """\
if [ -f "$HOME/fail" ]; then rm "$HOME/fail"; exit 73; fi
echo begun >> "$HOME/begun"
while [ -f "$HOME/hold" ]; do sleep 0.05; done
cp editor.txt "$HOME/editor"
echo ended >> "$HOME/ended"
"""
WAIT_SECONDS = 60
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
        dispatch_now(self.services, make_publishers(self.settings.shards))

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


@contextmanager
def real_plane(folder: Path, store: S3Settings, **changes: Any) -> Iterator[Plane]:
    """A control plane with its files in a folder; `changes` are further settings, the broker's address among them."""
    source = folder / "source"
    source.mkdir()
    (source / "install.sh").write_text(INSTALL, encoding="utf-8")
    (source / "editor.txt").write_text("the program\n", encoding="utf-8")
    with served_control_plane(folder, store, **changes) as services:
        yield Plane(services, services.settings, build_package(source, "install.sh", folder).path)


def enrolled_agent(folder: Path, plane: Plane) -> AgentProcess:
    """An agent with a home in a folder, enrolled as desk-1; it does not run yet."""
    home = folder / "home"
    home.mkdir()
    agent = AgentProcess(home, folder / "agent.log")
    enrolled = agent.command("enroll", plane.settings.public_url, plane.token(), "--name", "desk-1", "--json")
    assert enrolled.returncode == 0, enrolled.stderr
    return agent


def wait_for(condition: Callable[[], bool], agent: AgentProcess) -> None:
    """Fail with what the agent logged where the condition does not come true."""
    # Asked once: what held a moment ago may hold no more.
    assert wait_until(condition, seconds=WAIT_SECONDS), agent.log.read_text(encoding="utf-8")
