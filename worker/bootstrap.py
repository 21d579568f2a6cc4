"""The composition root: which implementation does what, in one place."""

from dataclasses import dataclass
from random import SystemRandom

from contract.clock import Clock, SystemClock
from worker.activity import Activity
from worker.content.keys import ContentKeys
from worker.content.source import HttpContentSource
from worker.device import Device
from worker.engine import Engine
from worker.folders import Folders
from worker.housekeeping.check_in import CheckInDuty
from worker.housekeeping.delivery import DeliveryDuty
from worker.housekeeping.orders import OrdersDuty
from worker.housekeeping.progress_duty import ProgressDuty
from worker.housekeeping.pruning import PruningDuty
from worker.housekeeping.thread import HousekeepingThread
from worker.identity import Identity
from worker.judgement.machine import Machine
from worker.ledger.ledger import Ledger
from worker.platform.select import this_platform, this_state_mirror
from worker.processes.environment import Environment
from worker.progress import ProgressQueue
from worker.settings import AgentSettings
from worker.uplink.addresses import require_secure_api, require_secure_broker
from worker.uplink.http import HttpUplink
from worker.uplink.transport import http_client


@dataclass(frozen=True)
class Agent:
    """A device's agent, ready to run."""

    device: Device
    engine: Engine
    housekeeping: HousekeepingThread


def build_agent(settings: AgentSettings, identity: Identity) -> Agent:
    """Put the agent together.

    Raises:
        InputError: The broker or the control plane is on another machine and has no TLS.
    """
    require_secure_broker(settings, identity.broker_url)
    device = build_device(settings, identity, SystemClock())
    device.ledger.apps.show_all()
    progress = ProgressQueue()
    activity = Activity(device.clock)
    orders = OrdersDuty(device, activity)
    housekeeping = HousekeepingThread(
        [
            _check_in_duty(settings, device, orders),
            orders,
            DeliveryDuty(device.ledger.outbox, device.uplink, device.clock),
            ProgressDuty(progress, device.uplink, device.clock),
            PruningDuty(device.ledger.attempts, device.folders, device.clock),
        ]
    )
    progress.on_put = housekeeping.wake
    return Agent(device, Engine(device, progress, activity=activity), housekeeping)


def build_device(settings: AgentSettings, identity: Identity, clock: Clock) -> Device:
    """All that phases work with."""
    folders = Folders(settings.state_dir)
    folders.create()
    environment = Environment(settings.pass_environment)
    return Device(
        identity=identity,
        folders=folders,
        ledger=Ledger(folders.ledger, this_state_mirror()),
        clock=clock,
        uplink=build_uplink(settings, identity, clock),
        source=HttpContentSource(http_client(settings)),
        keys=ContentKeys(identity),
        machine=Machine(this_platform(settings.state_dir), folders.scripts, environment),
        environment=environment,
    )


def build_uplink(settings: AgentSettings, identity: Identity, clock: Clock) -> HttpUplink:
    """The way to the control plane.

    Raises:
        InputError: It is on another machine and has no TLS.
    """
    require_secure_api(settings, identity.control_plane_url)
    return HttpUplink(http_client(settings, base_url=identity.control_plane_url), identity, clock)


def _check_in_duty(settings: AgentSettings, device: Device, orders: OrdersDuty) -> CheckInDuty:
    override = settings.check_in_interval_seconds
    return CheckInDuty(
        device.uplink,
        device.machine.platform,
        device.clock,
        SystemRandom(),
        interval_seconds=override or device.identity.check_in_interval_seconds,
        fixed_interval=override is not None,
        on_orders=orders.take,
    )
