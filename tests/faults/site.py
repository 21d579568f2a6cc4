"""A whole control plane of real processes, each of which may be killed, with a fault proxy before each door."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from control.client.control_client import ControlClient
from deploy.local.addresses import StackAddresses, resolve
from deploy.local.control_parts import api_part, control_environment, program, scheduler_part, worker_part
from deploy.local.layout import StackLayout
from deploy.local.outside import DEFAULT_REGION, OutsideParts
from deploy.local.part import Part
from deploy.local.ports import HOST, find_free_port
from deploy.local.secret_values import StackSecrets
from deploy.local.swift.part import store_part
from deploy.local.valkey import broker_part
from tests.faults.kept import Kept, inherited
from tests.support.fault_proxy import FaultProxy, fault_proxy

_PORTS = ("broker", "store", "api", "flower")
_COMMAND_SECONDS = 60

#: The control plane looks often, so that trials end soon.
_HASTE = {
    "OUTRIDER_CHECK_IN_INTERVAL_SECONDS": "20",
    "OUTRIDER_PLAN_INTERVAL_SECONDS": "5",
    "OUTRIDER_DISPATCH_INTERVAL_SECONDS": "1",
    "OUTRIDER_RECONCILE_INTERVAL_SECONDS": "5",
}
#: A reconciler this patient sends nothing anew during a trial: what is not lost then is the queue's own merit.
PATIENT = {"OUTRIDER_SILENCE_LIMIT_SECONDS": "86400", "OUTRIDER_QUIET_LIMIT_SECONDS": "86400"}
#: One that replaces what was lost while a trial waits.
EAGER = {"OUTRIDER_SILENCE_LIMIT_SECONDS": "10", "OUTRIDER_QUIET_LIMIT_SECONDS": "5"}


@dataclass
class Site:
    """The control plane with its servers.

    Attributes:
        parts: By their names: broker, store, api, worker-1, worker-2, scheduler.
        broker_link: Between devices and the broker.
        store_link: Between devices and the content store.
        api_link: Between devices and the API.
        client: An operator's.
    """

    folder: Path
    addresses: StackAddresses
    parts: dict[str, Kept]
    broker_link: FaultProxy
    store_link: FaultProxy
    api_link: FaultProxy
    client: ControlClient

    @property
    def device_url(self) -> str:
        """The API as devices reach it."""
        return f"http://{HOST}:{self.api_link.port}"

    @property
    def workers(self) -> list[Kept]:
        """The control plane's Celery workers."""
        return [part for name, part in self.parts.items() if name.startswith("worker")]

    def set_reconciler(self, silence: dict[str, str]) -> None:
        """Have the control plane wait longer or shorter before it sends anew: `PATIENT` or `EAGER`."""
        changed = [part for part in self.workers if not silence.items() <= part.part.environment.items()]
        for part in changed:
            part.change(**silence)
            part.hold()
            part.start()
        for part in changed:
            part.wait_ready()

    def calm(self) -> None:
        """End every fault of the links and wait until every part is up."""
        for link in (self.broker_link, self.store_link, self.api_link):
            link.forward()
        for part in self.parts.values():
            part.start()
            part.wait_ready()


@contextmanager
def running_site(
    folder: Path, *, database_url: str | None = None, silence: Mapping[str, str] = MappingProxyType(EAGER)
) -> Iterator[Site]:
    """A control plane below `folder`, on SQLite unless another database is named.

    Args:
        folder: Everything is in here.
        database_url: Another database.
        silence: How long the reconciler waits at first: `PATIENT` or `EAGER`.
    """
    layout = StackLayout.at(folder)
    layout.folder.mkdir(parents=True, exist_ok=True)
    secrets = StackSecrets()
    ports = _free_ports()
    with ExitStack() as stack:
        broker = _kept(stack, broker_part(_folder(layout, "broker"), ports["broker"], secrets), layout)
        store = _kept(stack, store_part(_folder(layout, "store"), ports["store"], secrets, DEFAULT_REGION), layout)
        links = {name: stack.enter_context(fault_proxy(ports[name])) for name in ("broker", "store", "api")}
        addresses = _proxied(resolve(layout, OutsideParts(database_url=database_url), secrets, ports), links)
        for part in (broker, store):
            part.wait_ready()
        _folder(layout, "control")
        environment = control_environment(layout, addresses)
        _command(environment, "outrider-control", "init")
        programs = _programs(layout, addresses, links["store"], silence)
        parts = {"broker": broker, "store": store} | {part.name: _kept(stack, part, layout) for part in programs}
        for part in parts.values():
            part.wait_ready()
        made = _command(environment, "outrider-control", "token", "create", "--role", "admin", "--name", "t", "--json")
        client = stack.enter_context(ControlClient(f"http://{HOST}:{ports['api']}", json.loads(made)["token"]))
        yield Site(layout.folder, addresses, parts, links["broker"], links["store"], links["api"], client)


def _free_ports() -> dict[str, int]:
    ports: dict[str, int] = {}
    for name in _PORTS:
        ports[name] = find_free_port(avoid=ports.values())
    return ports


def _proxied(addresses: StackAddresses, links: dict[str, FaultProxy]) -> StackAddresses:
    return addresses.model_copy(
        update={
            "device_broker_url": f"redis://{HOST}:{links['broker'].port}/0",
            "api_url": f"http://{HOST}:{links['api'].port}",
        }
    )


def _programs(
    layout: StackLayout, addresses: StackAddresses, store: FaultProxy, silence: Mapping[str, str]
) -> list[Part]:
    worker = worker_part(layout, addresses)
    parts = [api_part(layout, addresses), scheduler_part(layout, addresses)]
    parts += [worker.model_copy(update={"name": f"worker-{number}"}) for number in (1, 2)]
    ours = {**_HASTE, **silence, "S3_PUBLIC_ENDPOINT": f"http://{HOST}:{store.port}"}
    return [part.model_copy(update={"environment": {**part.environment, **ours}}) for part in parts]


def _folder(layout: StackLayout, name: str) -> Path:
    folder = layout.part(name)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _kept(stack: ExitStack, part: Part, layout: StackLayout) -> Kept:
    kept = Kept(part, _folder(layout, part.name))
    stack.callback(kept.stop)
    kept.start()
    return kept


def _command(environment: dict[str, str], command: str, *arguments: str) -> str:
    done = subprocess.run(
        [program(command), *arguments],
        env={**inherited(), **environment},
        capture_output=True,
        text=True,
        timeout=_COMMAND_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
