"""Deploy with Outrider: the local stack with real agents, which were enrolled and started before, as in life.

In control are the API, the Celery worker, the scheduler, the broker and the content store; agents with their
installers are the devices'. All of them run all the time, so each has brought one other app to every device before.
What is measured begins with the assignment and ends when the last report is stored.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import psutil
from sqlalchemy import func, select

from contract.jobs import JobState
from control.catalog.manifest import Manifest
from control.client.control_client import ControlClient
from control.database.session import Database
from control.database.tables import App, Device, Job
from control.views.access import EnrollmentTokenRequest
from control.views.assignments import AssignmentRequest
from deploy.local.addresses import StackAddresses
from deploy.local.control_parts import agent_part, control_environment, program
from deploy.local.layout import StackLayout
from deploy.local.plan import StandardPart
from deploy.local.polling import wait_until
from deploy.local.stack import LocalStack
from storage.intunewin.builder import build_package
from tests.bench.cpu_clock import family_cpu_seconds
from tests.bench.deployers.cost import Cost
from tests.bench.deployers.small_app import APPS, SETUP_FILE, SmallApp, make_small_app
from worker.folders import Folders
from worker.identity import save_identity
from worker.platform.select import this_platform
from worker.settings import AgentSettings
from worker.uplink.enrolment import enroll
from worker.uplink.transport import http_client

IN_CONTROL = (
    StandardPart.BROKER,
    StandardPart.STORE,
    StandardPart.API,
    StandardPart.WORKER,
    StandardPart.SCHEDULER,
)

#: The app that every device gets before anything is measured.
WARM_UP = "warm-up"

#: Agents that start side by side.
_STARTED_TOGETHER = 10
_AGENT_START = timedelta(minutes=5)
_COMMAND_SECONDS = 60
_CHECKED_IN_SECONDS = 120
_DEPLOYED_SECONDS = 600
#: The control plane has nothing left to do when it takes no more of a core than this in the time.
_QUIET_SHARE, _QUIET_SECONDS = 0.05, 1.0


@dataclass
class RunningFleet:
    """A control plane with devices that wait for orders.

    Attributes:
        homes: Of the devices, in the order of their numbers.
        shares: Seconds of processor time by part of the control plane, of the last deployment.
        at_rest: The control plane's seconds of processor time in a second before it, with nothing to do.
    """

    stack: LocalStack
    client: ControlClient
    database: Database
    package: str
    homes: Sequence[Path]
    shares: dict[StandardPart, float] = field(default_factory=dict)
    at_rest: float = 0.0

    def deploy(self, count: int) -> Cost:
        """Bring an app of its own to the first so many devices."""
        name = f"editor-{count}"
        self._publish(name, self.package, self.homes[:count])
        assert wait_until(self._is_quiet, seconds=_CHECKED_IN_SECONDS), "the control plane does not come to rest"
        control, devices, began = self._control(), self._devices(), time.perf_counter()
        self._assign(name, count)
        wall = time.perf_counter() - began
        self.shares = {part: seconds - control[part] for part, seconds in self._control().items()}
        return Cost(wall, sum(self.shares.values()), self._devices() - devices)

    def warm_up(self, package: str) -> None:
        """Bring another app to all devices: what is done once in the life of a process is done then."""
        self._publish(WARM_UP, package, self.homes)
        self._assign(WARM_UP, len(self.homes))

    def _publish(self, name: str, package: str, homes: Sequence[Path]) -> None:
        """Make an app of a package, and a group of the same name with these devices."""
        self.client.create_group(name)
        for home in homes:
            self.client.add_member(name, home.name)
        self.client.publish(_manifest(name), package)

    def _assign(self, name: str, count: int) -> None:
        """Assign the app to its group, and wait until the last report of so many devices is stored."""
        self.client.assign(AssignmentRequest(app=name, group=name))
        assert wait_until(lambda: self._finished(name) == count, seconds=_DEPLOYED_SECONDS), "not deployed in time"

    def have_checked_in(self) -> bool:
        """Whether each device has spoken to the control plane since it was enrolled."""
        with self.database.snapshot() as session:
            seen = session.scalars(select(Device.last_seen_at > Device.enrolled_at)).all()
        return len(seen) == len(self.homes) and all(seen)

    def _finished(self, app: str) -> int:
        with self.database.snapshot() as session:
            of_app = select(func.count()).select_from(Job).join(App, App.id == Job.app_id).where(App.name == app)
            return session.scalar(of_app.where(Job.state == JobState.FINISHED)) or 0

    def _is_quiet(self) -> bool:
        before, began = sum(self._control().values()), time.perf_counter()
        time.sleep(_QUIET_SECONDS)
        self.at_rest = (sum(self._control().values()) - before) / (time.perf_counter() - began)
        return self.at_rest <= _QUIET_SHARE

    def _control(self) -> dict[StandardPart, float]:
        pids = {state.name: state.pid for state in self.stack.status()}
        return {part: family_cpu_seconds(pids[part]) for part in IN_CONTROL}

    def _devices(self) -> float:
        names = {home.name for home in self.homes}
        pids = [state.pid for state in self.stack.status() if state.name in names]
        return sum(sum(psutil.Process(pid).cpu_times()[:4]) for pid in pids)


@contextmanager
def running_fleet(folder: Path, app: SmallApp, homes: Sequence[Path]) -> Iterator[RunningFleet]:
    """A control plane below a folder, with an agent for each home; all of it ends with the block."""
    stack = LocalStack(folder, environment={"PATH": os.environ["PATH"]})
    try:
        addresses = stack.up(*IN_CONTROL)
        with (
            ControlClient(addresses.api_url, _operator_token(stack.layout, addresses)) as client,
            closing(Database.at(addresses.database_url)) as database,
        ):
            fleet = RunningFleet(stack, client, database, _upload(client, app, folder / "packages"), homes)
            _start_agents(fleet, addresses)
            assert wait_until(fleet.have_checked_in, seconds=_CHECKED_IN_SECONDS), "not every device has checked in"
            fleet.warm_up(_upload(client, make_small_app(folder / "warm-up", seed=2), folder / "warm-up-packages"))
            yield fleet
    finally:
        stack.down()


def _upload(client: ControlClient, app: SmallApp, folder: Path) -> str:
    """The digest of the app's package, which lies in the store then."""
    package = build_package(app.source, SETUP_FILE, folder).path
    return client.upload(package, lambda _: None).digest


def _start_agents(fleet: RunningFleet, addresses: StackAddresses) -> None:
    token = fleet.client.create_enrollment_token(EnrollmentTokenRequest(uses=len(fleet.homes))).token
    parts = []
    for home in fleet.homes:
        state = home.parent / f"{home.name}-state"
        _enroll(state, home.name, addresses.api_url, token)
        part = agent_part(home.name, {"HOME": str(home), "OUTRIDER_AGENT_STATE_DIR": str(state)})
        parts.append(part.model_copy(update={"start_timeout": _AGENT_START}))
    for start in range(0, len(parts), _STARTED_TOGETHER):
        fleet.stack.add(*parts[start : start + _STARTED_TOGETHER])


def _enroll(state: Path, name: str, url: str, token: str) -> None:
    """What `outrider-agent enroll` does, without a process for each device."""
    settings, folders = AgentSettings(state_dir=state), Folders(state)
    folders.create()
    with http_client(settings, base_url=url) as client:
        identity = enroll(client, token=token, name=name, facts=this_platform(state).facts())
    save_identity(identity, folders.identity)


def _operator_token(layout: StackLayout, addresses: StackAddresses) -> str:
    command = [program("outrider-control"), "token", "create", "--role", "admin", "--name", "bench", "--json"]
    environment = {"PATH": os.environ["PATH"], **control_environment(layout, addresses)}
    made = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=_COMMAND_SECONDS)
    token: str = json.loads(made.stdout)["token"]
    return token


def _manifest(name: str) -> Manifest:
    return Manifest.model_validate(
        {
            "name": name,
            "installCommandLine": f"sh {SETUP_FILE} {name}",
            "uninstallCommandLine": "true",
            "detectionRules": [{"type": "file", "path": f"%HOME%/{APPS}", "fileOrFolderName": name}],
        }
    )
