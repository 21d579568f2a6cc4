"""A whole site of real parts: API on a port, broker, content store, and a device with its agent as a process."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from stat import S_ISREG
from typing import Any

import httpx
import psutil
from pydantic import SecretStr

from contract.jobs import JobRef
from contract.states import Intent
from contract.uplink import GenerationReason
from control.answers.jobs import device_jobs
from control.answers.moment import this_moment
from control.bootstrap import make_publishers
from control.catalog.assignments import assign
from control.catalog.manifest import Manifest
from control.catalog.revisions import add_revision
from control.database.tables import Job, Role
from control.dispatch.resend import resend
from control.fleet.devices import find_device
from control.fleet.enrollment_tokens import Place, create_enrollment_token
from control.fleet.groups import create_group
from control.security.operator_tokens import create_operator_token
from control.services import Services
from control.settings import ControlSettings
from control.views.fleet import DeviceDetail
from control.views.jobs import JobDetail
from control.work import dispatch_now, plan_now
from deploy.local.polling import wait_until
from storage.intunewin.builder import build_package
from storage.objects.s3_settings import S3Settings
from tests.support.broker import RunningBroker
from tests.support.control_plane import served_control_plane

WAIT_SECONDS = 40

#: Installs whatever app it is run for, and writes that down.
INSTALL = 'echo "$OUTRIDER_APP_NAME" >> "$HOME/ran"\ntouch "$HOME/$OUTRIDER_APP_NAME"\n'


@dataclass
class Site:
    """The control plane's side."""

    services: Services
    settings: ControlSettings
    package: Path
    viewer: httpx.Client = field(repr=False)

    def publish(self, app: str, package: Path | None = None, **changes: Any) -> str:
        """Publish a revision of an app that is there when its file is; the digest of its content."""
        facts = {
            "name": app,
            "displayVersion": "1.0",
            "publisher": "Example",
            "installCommandLine": "sh install.sh",
            "uninstallCommandLine": "sh uninstall.sh",
            "detectionRules": [{"type": "file", "path": "%HOME%", "fileOrFolderName": app}],
            **changes,
        }
        stored, now = self.services.packages.take(package or self.package), self.services.clock.now()
        with self.services.database.transaction() as session:
            manifest = Manifest.model_validate(facts)
            add_revision(session, manifest, stored.digest, policies=self.services.policies, now=now)
        return stored.digest

    def assign(self, app: str, device: str) -> None:
        """Want the app on one device, and plan its job."""
        with self.services.database.transaction() as session:
            assign(session, app, device, Intent.REQUIRED, self.services.clock.now())
        plan_now(self.services)

    def dispatch(self) -> None:
        dispatch_now(self.services, make_publishers(self.settings.shards))

    def send_anew(self, app: str, device: str) -> None:
        """What the reconciler does with a job that it has not heard of for too long."""
        job_id, now = self.job(app, device).id, self.services.clock.now()
        with self.services.database.transaction() as session:
            resend(session, session.get_one(Job, job_id), GenerationReason.RECONCILER, now)
        self.dispatch()

    def deploy(self, app: str, device: str, **changes: Any) -> None:
        self.publish(app, **changes)
        self.assign(app, device)
        self.dispatch()

    def enrolment(self, device: str) -> str:
        """A token for a device, which gets a group of its own name."""
        now = self.services.clock.now()
        with self.services.database.transaction() as session:
            group = create_group(session, device, now)
            lifetime = timedelta(hours=1)
            return create_enrollment_token(
                session, Place(group.id), uses=1, lifetime=lifetime, created_by="test", now=now
            )[0]

    def job(self, app: str, device: str) -> JobDetail:
        """The device's job for an app."""
        with self.services.database.snapshot() as session:
            jobs = device_jobs(session, find_device(session, device).id, this_moment(self.services))
        return next(job for job in jobs if job.app == app)

    def wait_for_job(self, app: str, device: str, holds: Callable[[JobDetail], bool]) -> JobDetail:
        """The job as it was when something held of it: a moment later its next attempt may have begun."""
        seen: list[JobDetail] = []

        def look() -> bool:
            seen[:] = [self.job(app, device)]
            return holds(seen[0])

        eventually(look, lambda: seen)
        return seen[0]

    def ref(self, app: str, device: str) -> JobRef:
        job = self.job(app, device)
        return JobRef(job_id=job.id, generation=job.generation, attempt=1)

    def show(self, device: str) -> DeviceDetail:
        """What `outrider device show` shows."""
        return DeviceDetail.model_validate_json(self.viewer.get(f"/v1/devices/{device}").raise_for_status().content)

    def metric(self, line: str) -> float:
        """The value behind a line of the metrics; 0 where there is none yet."""
        lines = self.viewer.get("/metrics").raise_for_status().text.splitlines()
        return next((float(one.rpartition(" ")[2]) for one in lines if one.startswith(f"{line} ")), 0.0)


@dataclass
class Agent:
    """One device: its home, and its program while it runs."""

    name: str
    home: Path
    device_id: str = ""
    process: psutil.Popen | None = None

    @property
    def state(self) -> Path:
        return self.home / "state"

    @property
    def ran(self) -> list[str]:
        """The apps whose installers ran, in order."""
        path = self.home / "ran"
        return path.read_text(encoding="utf-8").split() if path.exists() else []

    @property
    def log(self) -> str:
        return (self.home / "agent.log").read_text(encoding="utf-8", errors="replace")

    def enroll(self, url: str, token: str) -> None:
        command = [sys.executable, "-m", "worker.cli.main", "enroll", url, token, "--name", self.name, "--json"]
        done = subprocess.run(command, env=self._environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        self.device_id = json.loads((self.state / "identity.json").read_text(encoding="utf-8"))["device_id"]

    @contextmanager
    def running(self, **environment: str) -> Iterator[None]:
        command = [sys.executable, "-m", "worker.cli.main", "run"]
        with (self.home / "agent.log").open("ab") as log:
            self.process = psutil.Popen(command, env={**self._environment(), **environment}, stdout=log, stderr=log)
        try:
            eventually(lambda: " ready." in self.log, lambda: self.log)
            yield
        finally:
            self.process.terminate()
            self.process.wait(WAIT_SECONDS)

    def disk_bytes(self) -> int:
        """What its state folder takes; what the agent removes meanwhile takes nothing."""
        taken = 0
        for path in self.state.rglob("*"):
            with suppress(FileNotFoundError):
                status = path.stat()
                taken += status.st_size if S_ISREG(status.st_mode) else 0
        return taken

    def memory_bytes(self) -> int:
        assert self.process is not None
        return int(self.process.memory_info().rss)

    def is_alive(self) -> bool:
        return self.process is not None and self.process.is_running() and self.process.poll() is None

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "OUTRIDER_AGENT_STATE_DIR": str(self.state),
            "OUTRIDER_AGENT_STOP_LIMIT_SECONDS": "2",
            "OUTRIDER_AGENT_READ_TIMEOUT_SECONDS": "5",
        }


def eventually(
    holds: Callable[[], bool], otherwise: Callable[[], object] = lambda: "", *, seconds: float = WAIT_SECONDS
) -> None:
    """Wait for what has to come."""
    assert wait_until(holds, seconds=seconds), otherwise()


def build(folder: Path, files: dict[str, str]) -> Path:
    """A package of these files, `install.sh` among them."""
    source = folder / "source"
    source.mkdir(parents=True)
    for name, text in files.items():
        (source / name).write_text(text, encoding="utf-8")
    return build_package(source, "install.sh", folder).path


@contextmanager
def running_site(folder: Path, broker: RunningBroker, store: S3Settings, **changes: Any) -> Iterator[Site]:
    """A control plane that runs until the block ends."""
    broker_url = SecretStr(broker.control_url)
    with served_control_plane(folder, store, broker_url=broker_url, **changes) as services:
        settings = services.settings
        package = build(folder / "package", {"install.sh": INSTALL, "uninstall.sh": "true\n"})
        with httpx.Client(base_url=settings.public_url, headers=_viewer(services), timeout=WAIT_SECONDS) as viewer:
            yield Site(services, settings, package, viewer)


def _viewer(services: Services) -> dict[str, str]:
    with services.database.transaction() as session:
        now = services.clock.now()
        token, _ = create_operator_token(session, name="watching", role=Role.VIEWER, lifetime=None, now=now)
    return {"Authorization": f"Bearer {token}"}


def enrolled_agent(site: Site, folder: Path, name: str) -> Agent:
    """A device that is enrolled and not running yet."""
    home = folder / name
    home.mkdir()
    agent = Agent(name, home)
    agent.enroll(site.settings.public_url, site.enrolment(name))
    return agent
