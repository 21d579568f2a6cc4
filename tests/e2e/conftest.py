"""One stack for the whole session, brought to where `make demo` brings it, by the demo's own steps."""

import io
import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from rich.console import Console

from control.client.control_client import ControlClient
from control.views.jobs import JobDetail
from deploy.demo.commands import Typist
from deploy.demo.scenario import Scenario, client_of
from deploy.demo.watch import watch
from deploy.local.control_parts import program
from deploy.local.stack import LocalStack
from tests.support.broker import let_tester_in

SECONDS = 60


@dataclass(frozen=True)
class Demo:
    """The running demo.

    Attributes:
        operator: Types commands as the operator does.
        jobs: How the demo's own jobs ended, by device.
        shown: What the demo showed of its commands.
    """

    scenario: Scenario
    operator: Typist
    client: ControlClient
    jobs: dict[str, JobDetail]
    shown: str

    @property
    def stack(self) -> LocalStack:
        return self.scenario.stack

    def home(self, device: str) -> Path:
        return self.scenario.device_folder / device / "home"

    def state(self, device: str) -> Path:
        return self.scenario.device_folder / device / "state"

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """A command line of the operator; its exit status is the caller's business."""
        command, *arguments = shlex.split(line)
        return subprocess.run(
            [program(command), *arguments],
            env={**os.environ, **self.operator.environment},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def publish(self, folder: Path, name: str, files: dict[str, str], detection: str, **more: Any) -> None:
        """Package and publish an app whose installer is `install.sh` and that is there when `%HOME%/<detection>` is."""
        source, output = folder / "source", folder / "packages"
        source.mkdir(parents=True)
        for file, text in files.items():
            (source / file).write_text(text, encoding="utf-8")
        manifest = {
            "name": name,
            "installCommandLine": "sh install.sh",
            "uninstallCommandLine": "sh uninstall.sh",
            "detectionRules": [{"type": "file", "path": "%HOME%", "fileOrFolderName": detection}],
            "retryIntervalInMinutes": 0.05,
            **more,
        }
        (folder / "app.yaml").write_text(json.dumps(manifest), encoding="utf-8")
        build = ("outrider", "package", "build", str(source), "--setup", "install.sh", "--output", str(output), "-q")
        self.operator.type(*build)
        package = str(output / "install.intunewin")
        self.operator.type("outrider", "app", "publish", package, "--manifest", str(folder / "app.yaml"))

    def assign(self, app: str, *devices: str) -> None:
        """Want the app on these devices, by a group of its own."""
        self.operator.type("outrider", "group", "create", f"{app}-group")
        for device in devices:
            self.operator.type("outrider", "group", "add", f"{app}-group", device)
        self.operator.type("outrider", "assign", app, "--group", f"{app}-group")

    def job(self, app: str, device: str) -> JobDetail | None:
        return next((job for job in self.client.device(device).jobs if job.app == app), None)

    def wait_for_job(self, app: str, device: str, holds: Callable[[JobDetail], bool]) -> JobDetail:
        """The job, once something holds of it."""
        found: list[JobDetail] = []

        def look() -> bool:
            job = self.job(app, device)
            found[:] = [job] if job else []
            return job is not None and holds(job)

        wait_until(look, what=lambda: f"{app} on {device}: {found}")
        return found[0]

    def agent(self, device: str) -> psutil.Process:
        """The device's agent."""
        return psutil.Process(next(state.pid for state in self.stack.status() if state.name == device))


def wait_until(holds: Callable[[], bool], *, what: Callable[[], Any] = lambda: "") -> None:
    """Wait for a condition, at most a minute."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not within {SECONDS} s: {what()}"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    console = Console(file=io.StringIO(), width=200)
    scenario = Scenario(LocalStack(tmp_path_factory.mktemp("demo")), console)
    let_tester_in(scenario.stack.layout.part("broker"))
    try:
        operator = scenario.start()
        scenario.publish(operator)
        devices = scenario.enroll(operator)
        scenario.assign(operator)
        with client_of(operator) as client:
            jobs = watch(Console(file=io.StringIO()), client, devices)
            assert isinstance(console.file, io.StringIO)
            yield Demo(scenario, operator, client, jobs, console.file.getvalue())
    finally:
        scenario.stack.down()
