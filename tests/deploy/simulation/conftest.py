"""What a simulated device is made of, and a control plane that a simulated fleet can be run against."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from contract.states import Intent
from control.catalog.manifest_reader import read_manifest
from control.client.control_client import ControlClient
from control.views.access import EnrollmentTokenRequest
from control.views.assignments import AssignmentRequest
from deploy.demo.commands import Typist
from deploy.demo.devices import APP_SOURCE
from deploy.demo.scenario import MANIFEST, SETUP_FILE
from deploy.local.control_parts import control_environment
from deploy.local.plan import StandardPart
from deploy.local.stack import LocalStack
from deploy.simulation.script import FleetScript
from tests.worker.rig import Rig, pack

APP = "hello"
GROUP = "fleet"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A device with an identity, and with a package that it may be sent."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "install.sh").write_text("true\n")
    made = Rig(tmp_path / "device", pack(source, tmp_path))
    yield made
    made.device.ledger.close()


@dataclass(frozen=True)
class Site:
    """A control plane of a test's own, with an operator."""

    stack: LocalStack
    client: ControlClient
    folder: Path

    @property
    def urls(self) -> list[str]:
        """Where the API answers."""
        return [self.stack.addresses.api_url]

    @property
    def devices(self) -> Path:
        """Where the identities of simulated devices are kept."""
        folder = self.folder / "devices"
        folder.mkdir(exist_ok=True)
        return folder

    def deploy(self, *, hold: bool = False) -> None:
        """Publish the demo's app and assign it to the fleet; held back, it is sent to nobody before a rollout."""
        options = ("--setup", SETUP_FILE, "--output", str(self.folder), "--quiet")
        Typist(Console(quiet=True), {}).type("outrider", "package", "build", str(APP_SOURCE), *options, shown=False)
        package = self.client.upload((self.folder / SETUP_FILE).with_suffix(".intunewin"), lambda _bytes: None)
        self.client.publish(read_manifest(MANIFEST), package.digest, hold=hold)
        self.client.assign(AssignmentRequest(app=APP, group=GROUP, intent=Intent.REQUIRED))

    def token(self, fleet: FleetScript) -> str:
        """Enrols a fleet."""
        return self.client.create_enrollment_token(EnrollmentTokenRequest(group=GROUP, uses=fleet.devices)).token


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """One that runs, with a group for the fleet."""
    stack = LocalStack(tmp_path / "stack", environment={"PATH": "/usr/bin:/bin"})
    parts = [name for name in StandardPart if name is not StandardPart.FLOWER]
    try:
        addresses = stack.up(*parts)
        server = Typist(Console(quiet=True), control_environment(stack.layout, addresses))
        token = server.ask("outrider-control", "token", "create", "--role", "admin", "--name", "test", shown=False)
        with ControlClient(addresses.api_url, str(token["token"])) as client:
            client.create_group(GROUP)
            yield Site(stack, client, tmp_path)
    finally:
        stack.down()
