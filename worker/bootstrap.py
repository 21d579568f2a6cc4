"""The composition root: which implementation does what, in one place."""

import math
import ssl
from dataclasses import dataclass
from functools import partial
from random import SystemRandom

from contract.clock import Clock, SystemClock
from contract.secure_addresses import tls_context
from contract.uplink import CheckInReply
from worker.activity import Activity
from worker.content.keys import ContentKeys
from worker.content.source import HttpContentSource
from worker.departure import Departure
from worker.device import Device
from worker.engine import Engine
from worker.folders import Folders
from worker.housekeeping.check_in import CheckInDuty, message_of
from worker.housekeeping.clock_duty import ClockDuty
from worker.housekeeping.delivery import DeliveryDuty
from worker.housekeeping.orders import OrdersDuty
from worker.housekeeping.progress_duty import ProgressDuty
from worker.housekeeping.pruning import PruningDuty
from worker.housekeeping.thread import HousekeepingThread
from worker.identity import Identity
from worker.judgement.machine import Machine
from worker.ledger.ledger import Ledger
from worker.logs.known_secrets import KnownSecrets
from worker.notices.select import this_notifier
from worker.platform.select import this_platform, this_state_mirror
from worker.processes.environment import Environment
from worker.progress import ProgressQueue
from worker.relocation import Relocation
from worker.restart.duty import RestartDuty
from worker.restart.restarter import this_restarter
from worker.restart.restarts import Restarts
from worker.secrets.duty import SweepingDuty
from worker.secrets.files import SecretFiles
from worker.settings import AgentSettings
from worker.trust import Trust
from worker.uplink.addresses import require_secure_api, require_secure_broker
from worker.uplink.http import HttpUplink
from worker.uplink.transport import http_client


@dataclass(frozen=True)
class Agent:
    """A device's agent, ready to run."""

    device: Device
    engine: Engine
    housekeeping: HousekeepingThread
    departure: Departure
    check_ins: CheckInDuty
    relocation: Relocation

    def check_in_now(self) -> None:
        """Check in without waiting for the next time."""
        self.check_ins.call()
        self.housekeeping.wake()


def build_agent(settings: AgentSettings, identity: Identity, known_secrets: KnownSecrets | None = None) -> Agent:
    """Put the agent together.

    Args:
        settings: The agent's.
        identity: The device's.
        known_secrets: What its logs leave out.

    Raises:
        InputError: The broker or the control plane is on another machine and has no TLS.
    """
    require_secure_broker(settings, identity.broker_url)
    device = build_device(settings, identity, SystemClock(), known_secrets)
    device.ledger.apps.show_all()
    progress = ProgressQueue()
    activity = Activity(device.clock)
    orders = OrdersDuty(device, activity)
    relocation = _relocation(settings, identity, Departure(activity, device.clock, limit_seconds=math.inf))
    check_ins = _check_in_duty(settings, device, orders, relocation)
    housekeeping = HousekeepingThread(
        [
            check_ins,
            orders,
            DeliveryDuty(device.ledger.outbox, device.uplink, device.clock),
            ProgressDuty(progress, device.uplink, device.clock),
            SweepingDuty(device.secret_files, device.clock),
            PruningDuty(device.ledger, device.folders, device.clock),
            ClockDuty(device.ledger, device.clock),
            RestartDuty(device.restarts, this_restarter(allowed=settings.may_restart), device.notifier, device.clock),
        ]
    )
    progress.on_news = housekeeping.wake
    departure = Departure(activity, device.clock, limit_seconds=settings.stop_limit_seconds)
    return Agent(device, Engine(device, progress, activity=activity), housekeeping, departure, check_ins, relocation)


def build_device(
    settings: AgentSettings, identity: Identity, clock: Clock, known_secrets: KnownSecrets | None = None
) -> Device:
    """All that phases work with."""
    folders = Folders(settings.state_dir)
    folders.create()
    environment, tls = Environment(settings.pass_environment), tls_context()
    ledger, platform = Ledger(folders.ledger, this_state_mirror()), this_platform(settings.state_dir)
    return Device(
        identity=identity,
        folders=folders,
        ledger=ledger,
        clock=clock,
        uplink=build_uplink(settings, identity, clock, tls),
        source=HttpContentSource(http_client(settings, tls=tls)),
        keys=ContentKeys(identity),
        machine=Machine(platform, folders.scripts, environment),
        environment=environment,
        restarts=Restarts(ledger.restarts, clock),
        trust=Trust(identity.trusted_keys, ledger.trust),
        notifier=this_notifier(platform, environment),
        secret_files=SecretFiles(settings.state_dir),
        known_secrets=known_secrets or KnownSecrets(),
    )


def build_uplink(
    settings: AgentSettings, identity: Identity, clock: Clock, tls: ssl.SSLContext | None = None
) -> HttpUplink:
    """The way to the control plane; see `http_client` for `tls`.

    Raises:
        InputError: It is on another machine and has no TLS.
    """
    require_secure_api(settings, identity.control_plane_url)
    return HttpUplink(http_client(settings, base_url=identity.control_plane_url, tls=tls), identity, clock)


def _relocation(settings: AgentSettings, identity: Identity, departure: Departure) -> Relocation:
    from worker.celery_app import leave_queue, reaches_broker  # noqa: PLC0415  other commands need not load Celery

    return Relocation(
        identity,
        Folders(settings.state_dir).identity,
        require_secure=partial(require_secure_broker, settings),
        reaches=reaches_broker,
        leave=leave_queue,
        departure=departure,
    )


def _check_in_duty(settings: AgentSettings, device: Device, orders: OrdersDuty, relocation: Relocation) -> CheckInDuty:
    override = settings.check_in_interval_seconds

    def on_reply(reply: CheckInReply) -> None:
        hear(device, orders, reply)
        relocation.consider(reply.broker_url)

    return CheckInDuty(
        device.uplink,
        partial(message_of, device),
        device.clock,
        SystemRandom(),
        interval_seconds=override or device.identity.check_in_interval_seconds,
        fixed_interval=override is not None,
        on_reply=on_reply,
    )


def hear(device: Device, orders: OrdersDuty, reply: CheckInReply) -> None:
    """What a check-in brings wherever the device listens: the orders that stand, and newer trusted keys."""
    orders.take(reply.orders)
    device.trust.learn_in_passing(reply.trusted_keys_version, device.uplink)
