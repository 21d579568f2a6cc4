"""What a simulated device's agent is put together of each time it starts: the agent's engine, duties and uplink."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import httpx

from contract.uplink import CheckInReply
from deploy.simulation.brokers import Brokers
from deploy.simulation.desk import LedgerDesk
from deploy.simulation.phases import SimulatedMachine
from deploy.simulation.script import DeviceScript
from worker.activity import Activity
from worker.bootstrap import hear
from worker.content.keys import ContentKeys
from worker.content.source import HttpContentSource
from worker.device import Device
from worker.engine import Engine
from worker.folders import Folders
from worker.housekeeping.check_in import CheckInDuty, message_of
from worker.housekeeping.delivery import DeliveryDuty
from worker.housekeeping.duty import Duty
from worker.housekeeping.orders import OrdersDuty
from worker.housekeeping.progress_duty import ProgressDuty
from worker.identity import Identity
from worker.judgement.machine import Machine
from worker.logs.known_secrets import KnownSecrets
from worker.notices.port import LogNotifier
from worker.platform.memory import Contents, MemoryPlatform
from worker.processes.environment import Environment
from worker.progress import ProgressQueue
from worker.restart.boot import Boot, this_boot
from worker.restart.restarts import Restarts
from worker.secrets.files import SecretFiles
from worker.trust import Trust
from worker.uplink.http import HttpUplink


@dataclass(frozen=True)
class Surroundings:
    """What the devices of one thread share: nothing of it is any one device's.

    Attributes:
        desk: Where a device has its ledger while it has its turn.
        client: Its connections to the control plane and the content store.
        scratch: A folder that devices may look at; nothing is kept there.
        brokers: Where devices listen.
    """

    desk: LedgerDesk
    client: httpx.Client
    scratch: Path
    brokers: Brokers
    boot: Boot = field(default_factory=this_boot)
    environment: Environment = field(default_factory=lambda: Environment(()))
    known_secrets: KnownSecrets = field(default_factory=KnownSecrets)


class SimulatedPlatform(MemoryPlatform):
    """A machine that says of itself what its script says."""

    def __init__(self, state: Path, script: DeviceScript) -> None:
        super().__init__(state, Contents(), os_name=script.os_name)
        self.facts = script.facts  # type: ignore[method-assign]  # what the machine here would say is of no interest


@dataclass(frozen=True, slots=True)
class SimulatedAgent:
    """An agent from one start to the next.

    Attributes:
        device: All that its phases work with.
        engine: Runs them.
        check_in: Says that the device is there.
        progress: Tells of phases that take long.
        delivery: Sends reports that were not sent at once.
    """

    device: Device
    engine: Engine
    check_in: CheckInDuty
    progress: ProgressDuty
    delivery: DeliveryDuty

    @property
    def duties(self) -> tuple[Duty, ...]:
        """What it does besides phases."""
        return self.check_in, self.delivery, self.progress


def start_agent(identity: Identity, machine: SimulatedMachine, surroundings: Surroundings) -> SimulatedAgent:
    """An agent that has just started on this machine; it checks in at its first chance."""
    device, progress = _device(identity, machine, surroundings), ProgressQueue()
    activity = Activity(machine.clock)
    check_in = CheckInDuty(
        device.uplink,
        partial(message_of, device),
        machine.clock,
        Random(identity.device_id),  # noqa: S311  it spreads check-ins, it keeps no secret
        interval_seconds=identity.check_in_interval_seconds,
        on_reply=partial(_hear, device, OrdersDuty(device, activity), surroundings.brokers),
    )
    return SimulatedAgent(
        device=device,
        engine=Engine(device, progress, machine.functions(), activity),
        check_in=check_in,
        progress=ProgressDuty(progress, device.uplink, machine.clock),
        delivery=DeliveryDuty(device.ledger.outbox, device.uplink, machine.clock),
    )


def _hear(device: Device, orders: OrdersDuty, brokers: Brokers, reply: CheckInReply) -> None:
    hear(device, orders, reply)
    if reply.broker_url is not None:
        brokers.listen(device.identity.model_copy(update={"broker_url": reply.broker_url}))


def _device(identity: Identity, machine: SimulatedMachine, surroundings: Surroundings) -> Device:
    scratch, client, ledger = surroundings.scratch, surroundings.client, surroundings.desk.ledger
    clock, folders, environment = machine.clock, Folders(scratch), surroundings.environment
    return Device(
        identity=identity,
        folders=folders,
        ledger=ledger,
        clock=clock,
        uplink=HttpUplink(client, identity, clock),
        source=HttpContentSource(client),
        keys=ContentKeys(identity),
        machine=Machine(SimulatedPlatform(scratch, machine.script), folders.scripts, environment),
        environment=environment,
        restarts=Restarts(ledger.restarts, clock, lambda: surroundings.boot),
        trust=Trust(identity.trusted_keys, ledger.trust),
        notifier=LogNotifier(),
        secret_files=SecretFiles(scratch),
        known_secrets=surroundings.known_secrets,
    )
