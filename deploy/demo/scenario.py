"""The demo's story, step by step; the end-to-end test drives the same steps."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from control.client.control_client import ControlClient
from control.views.jobs import JobDetail
from deploy.demo.commands import Typist
from deploy.demo.devices import APP_SOURCE, DEVICES, DemoDevice
from deploy.local.control_parts import agent_part, control_environment
from deploy.local.files import write_private
from deploy.local.stack import LocalStack

APP = "hello"
GROUP = "demo-devices"
MANIFEST = APP_SOURCE.with_suffix(".yaml")
SETUP_FILE = "install.sh"


@dataclass(frozen=True)
class Scenario:
    """A local stack and what the demo does with it.

    Attributes:
        stack: Where everything runs; its folder also holds the packages and the devices.
        console: Where the commands are shown.
    """

    stack: LocalStack
    console: Console

    @property
    def device_folder(self) -> Path:
        """Each device has a folder of its own name in here, with its home and its state."""
        return self.stack.layout.folder / "devices"

    @property
    def environment_file(self) -> Path:
        """What a shell reads to talk to this control plane."""
        return self.stack.layout.folder / "env.sh"

    def start(self) -> Typist:
        """Start the stack and get an operator's token; the answer types that operator's commands."""
        addresses = self.stack.up()
        server = Typist(self.console, control_environment(self.stack.layout, addresses))
        token = server.ask("outrider-control", "token", "create", "--role", "admin", "--name", "demo", shown=False)
        environment = {"OUTRIDER_URL": addresses.api_url, "OUTRIDER_TOKEN": str(token["token"])}
        lines = [f"export {name}={value}\n" for name, value in environment.items()]
        write_private(self.environment_file, "".join(lines))
        return Typist(self.console, environment)

    def publish(self, operator: Typist) -> None:
        """Build the package from its folder and publish it."""
        packages = self.stack.layout.folder / "packages"
        source, output = _from_here(APP_SOURCE), _from_here(packages)
        operator.type("outrider", "package", "build", source, "--setup", SETUP_FILE, "--output", output, "--quiet")
        package = _from_here(packages / Path(SETUP_FILE).with_suffix(".intunewin"))
        operator.type("outrider", "app", "publish", package, "--manifest", _from_here(MANIFEST))

    def enroll(self, operator: Typist) -> dict[str, str]:
        """Make the three devices, each with its own home and state, enrol them into the group and start them.

        Returns:
            Their ids by their names.
        """
        operator.type("outrider", "group", "create", GROUP)
        uses = str(len(DEVICES))
        token = operator.ask("outrider", "enrollment", "create", "--group", GROUP, "--uses", uses)["token"]
        ids = {}
        for device in DEVICES:
            self._prepare(device)
            environment = self.agent_environment(device.name)
            agent = Typist(self.console, environment)
            url = operator.environment["OUTRIDER_URL"]
            enrolled = agent.ask("outrider-agent", "enroll", url, token, "--name", device.name, secret=token)
            ids[device.name] = enrolled["device_id"]
            self.stack.add(agent_part(device.name, environment))
        return ids

    def assign(self, operator: Typist) -> None:
        """Want the app on the group."""
        operator.type("outrider", "assign", APP, "--group", GROUP, "--intent", "required")

    def agent_environment(self, device: str) -> Mapping[str, str]:
        """What makes an agent this device's: its home and its state."""
        folder = self.device_folder / device
        return {"HOME": str(folder / "home"), "OUTRIDER_AGENT_STATE_DIR": str(folder / "state")}

    def _prepare(self, device: DemoDevice) -> None:
        home = self.device_folder / device.name / "home"
        home.mkdir(parents=True)
        device.prepare(home)


def _from_here(path: Path) -> str:
    """The path as a person would type it."""
    return os.path.relpath(path)


def client_of(operator: Typist) -> ControlClient:
    """The operator's view of the control plane."""
    return ControlClient(operator.environment["OUTRIDER_URL"], operator.environment["OUTRIDER_TOKEN"])


def job_details(client: ControlClient, devices: Mapping[str, str]) -> dict[str, JobDetail]:
    """The app's job on each device that has one, with the phases of all attempts.

    Args:
        client: An operator's.
        devices: The devices' ids by their names.

    Returns:
        The jobs by the devices' names.
    """
    return {name: job for name, id_ in devices.items() for job in client.device(id_).jobs if job.app == APP}


def fresh_folder(folder: Path) -> None:
    """End what an earlier demo left running in this folder, and remove what it left lying there."""
    LocalStack(folder).down()
    shutil.rmtree(folder, ignore_errors=True)
