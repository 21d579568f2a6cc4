"""The operator's side: packages, apps, assignments, and what became of them."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.jobs import JobState
from control.client.control_client import ControlClient
from control.views.jobs import JobDetail
from deploy.demo.commands import Typist
from deploy.local.polling import wait_until
from tests.windows.device import WindowsDevice

NAME = "desk-windows"
GROUP = "windows-desks"
#: From assignment to result; a job takes two to ten seconds.
JOB_SECONDS = 120
_END_SECONDS = 10


@dataclass
class Fleet:
    """A control plane and its one device, on Windows.

    Attributes:
        agent: The process of the device's agent; tests that end it start it again.
    """

    operator: Typist
    client: ControlClient
    device: WindowsDevice
    agent: subprocess.Popen[bytes] | None = None

    def enroll(self) -> None:
        """Make the device one of a group, by the agent's own command."""
        self.operator.type("outrider", "group", "create", GROUP)
        token = self.operator.ask("outrider", "enrollment", "create", "--group", GROUP)["token"]
        self.device.ask("enroll", self.operator.environment["OUTRIDER_URL"], token, "--name", NAME)

    def start_agent(self) -> None:
        """Let the device work."""
        self.agent = self.device.start_agent()

    def kill_agent(self) -> None:
        """What a power cut does to the agent alone."""
        assert self.agent is not None
        self.agent.kill()
        self.agent.wait(_END_SECONDS)

    def publish(self, setup: Path, name: str, **manifest: Any) -> None:
        """Package the folder of a setup file and publish it as an app."""
        packages = setup.parent.parent / "packages"
        source = ("outrider", "package", "build", str(setup.parent), "--setup", setup.name)
        self.operator.type(*source, "--output", str(packages), "--quiet")
        text = json.dumps({"name": name, "operatingSystems": ["windows"], **manifest})
        (packages / "app.yaml").write_text(text, encoding="utf-8")
        package = str(packages / f"{setup.stem}.intunewin")
        self.operator.type("outrider", "app", "publish", package, "--manifest", str(packages / "app.yaml"))

    def assign(self, name: str, intent: str = "required") -> None:
        """Want an app, or its absence, on the device."""
        self.operator.type("outrider", "assign", name, "--group", GROUP, "--intent", intent)

    def job(self, name: str) -> JobDetail | None:
        """The app's newest job."""
        jobs = [job for job in self.client.device(NAME).jobs if job.app == name]
        return max(jobs, key=lambda job: job.created_at, default=None)

    def finished(self, name: str) -> JobDetail:
        """The app's newest job once it has ended for good."""
        return self.wait_for(name, lambda job: job.state is JobState.FINISHED)

    def wait_for(self, name: str, holds: Callable[[JobDetail], bool]) -> JobDetail:
        """The app's newest job, once something holds of it."""
        wait_until(lambda: (job := self.job(name)) is not None and holds(job), seconds=JOB_SECONDS)
        job = self.job(name)
        assert job is not None, f"no job for {name}"
        assert holds(job), f"{job}\n{self.device.last_words()}"
        return job
