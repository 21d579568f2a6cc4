"""One simulated device: the agent's engine, ledger and uplink, driven turn by turn, not by a process of its own."""

from collections import deque
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import httpx

from contract.jobs import JobRef
from contract.phases import Phase
from contract.queue_messages import unpacked
from deploy.simulation.clock import SkippingClock
from deploy.simulation.desk import LedgerDesk, Memory
from deploy.simulation.phases import SimulatedMachine
from deploy.simulation.script import DeviceScript
from worker.activity import Activity
from worker.bootstrap import hear
from worker.content.keys import ContentKeys
from worker.content.source import HttpContentSource
from worker.device import Device
from worker.engine import Engine
from worker.folders import Folders
from worker.handover import Handover
from worker.housekeeping.check_in import CheckInDuty, message_of
from worker.housekeeping.delivery import DeliveryDuty
from worker.housekeeping.orders import OrdersDuty
from worker.housekeeping.progress_duty import ProgressDuty
from worker.identity import Identity
from worker.judgement.machine import Machine
from worker.logs.known_secrets import KnownSecrets
from worker.message_guard import MAX_MESSAGE_BYTES, link_of, refusal
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
    """

    desk: LedgerDesk
    client: httpx.Client
    scratch: Path
    boot: Boot = field(default_factory=this_boot)
    environment: Environment = field(default_factory=lambda: Environment(()))
    known_secrets: KnownSecrets = field(default_factory=KnownSecrets)


class SimulatedPlatform(MemoryPlatform):
    """A machine that says of itself what its script says."""

    def __init__(self, state: Path, script: DeviceScript) -> None:
        super().__init__(state, Contents(), os_name=script.os_name)
        self.facts = script.facts  # type: ignore[method-assign]  # what the machine here would say is of no interest


@dataclass
class _Link:
    """A phase that is to be run at a time; `raw` is the message to acknowledge when its chain has ended."""

    due: float
    phase: Phase
    ref: JobRef
    turn: int = 0
    raw: bytes | None = None


class SimulatedDevice:
    """Carries out what its queue asks for; called by one thread at a time.

    Attributes:
        identity: Who it is.
        starts_after: Seconds from the beginning of the simulation.
        machine: What is installed on it.
        finished: Messages that are done with and may be acknowledged.
        outcomes: In a word, what came of its jobs, the newest of each app.
    """

    def __init__(self, identity: Identity, script: DeviceScript, surroundings: Surroundings) -> None:
        self.identity = identity
        self.starts_after = script.starts_after_seconds
        self.finished: deque[bytes] = deque()
        self.outcomes: dict[str, str] = {}
        self._offered: deque[bytes] = deque()
        self._clock = SkippingClock()
        self._links: list[_Link] = []
        self._desk, self._memory = surroundings.desk, Memory()
        progress = ProgressQueue()
        self._device = _device(identity, script, surroundings, self._clock)
        activity = Activity(self._clock)
        tell = ProgressDuty(progress, self._device.uplink, self._clock)
        self.machine = SimulatedMachine(script, self._clock, tell.turn)
        self._engine = Engine(self._device, progress, self.machine.functions(), activity)
        orders = OrdersDuty(self._device, activity)
        check_in = CheckInDuty(
            self._device.uplink,
            partial(message_of, self._device),
            self._clock,
            Random(identity.device_id),  # noqa: S311  it spreads check-ins, it keeps no secret
            interval_seconds=identity.check_in_interval_seconds,
            # Where to listen is left out: whoever reads the queues reads one broker's.
            on_reply=partial(hear, self._device, orders),
        )
        delivery = DeliveryDuty(self._device.ledger.outbox, self._device.uplink, self._clock)
        self._duties = (check_in, delivery, tell)

    @property
    def is_at_work(self) -> bool:
        """Whether it has taken a message that it has not finished: it takes no other one."""
        return bool(self._offered or self._links)

    def offer(self, raw: bytes) -> None:
        """Hand a message of its queue over; any thread may."""
        self._offered.append(raw)

    def turn(self) -> float:
        """Do all that is due.

        Returns:
            Seconds until something else is.
        """
        behind = self._clock.behind()
        if behind:
            return behind
        with self._desk.used_by(self._memory):
            while self._offered:
                self._take(self._offered.popleft())
            # At once, as a worker on its own machine would, not in turns with all others.
            while (link := self._next_link()) is not None:
                self._links.remove(link)
                self._run(link)
            waits = [duty.turn() for duty in self._duties]
        waits += [waiting.due - self._clock.monotonic() for waiting in self._links]
        return max(0.0, self._clock.behind(), min(waits))

    def _next_link(self) -> _Link | None:
        """The next phase that is due, by the machine's clock as by the device's."""
        link = min(self._links, key=lambda waiting: waiting.due, default=None)
        is_due = link is not None and link.due <= self._clock.monotonic() and not self._clock.behind()
        return link if is_due else None

    def _take(self, raw: bytes) -> None:
        try:
            message = unpacked(raw, most_bytes=MAX_MESSAGE_BYTES)
            if (reason := refusal(message)) is not None:
                raise ValueError(reason)  # noqa: TRY301  both are refused in one way
        except ValueError:
            self._device.refused_messages.count()
            self.finished.append(raw)
            return
        phase, ref = link_of(message)
        self._links.append(_Link(self._clock.monotonic(), phase, ref, raw=raw))

    def _run(self, link: _Link) -> None:
        handover = self._engine.run(link.phase, link.ref, turn=link.turn)
        now = self._clock.monotonic()
        followers = list(_followers(link, handover, now))
        self._links += followers
        if not any(follower.raw for follower in followers) and link.raw is not None:
            self.finished.append(link.raw)
        if link.phase is Phase.REPORT:
            self.outcomes = {state.app_id: state.outcome.value for state in self._device.ledger.apps.states()}


def _followers(link: _Link, handover: Handover, now: float) -> list[_Link]:
    followers = []
    if handover.go_on_at is not None:
        followers.append(_Link(now, handover.go_on_at, link.ref, raw=link.raw))
    if handover.retry_in_seconds is not None:
        followers.append(_Link(now + handover.retry_in_seconds, link.phase, link.ref, link.turn + 1, link.raw))
    if handover.next_chain is not None:
        chain = handover.next_chain
        followers.append(_Link(now + chain.countdown_seconds, Phase.POLL, chain.ref))
    return followers


def _device(identity: Identity, script: DeviceScript, surroundings: Surroundings, clock: SkippingClock) -> Device:
    scratch, client, ledger = surroundings.scratch, surroundings.client, surroundings.desk.ledger
    folders, environment = Folders(scratch), surroundings.environment
    return Device(
        identity=identity,
        folders=folders,
        ledger=ledger,
        clock=clock,
        uplink=HttpUplink(client, identity, clock),
        source=HttpContentSource(client),
        keys=ContentKeys(identity),
        machine=Machine(SimulatedPlatform(scratch, script), folders.scripts, environment),
        environment=environment,
        restarts=Restarts(ledger.restarts, clock, lambda: surroundings.boot),
        trust=Trust(identity.trusted_keys, ledger.trust),
        notifier=LogNotifier(),
        secret_files=SecretFiles(scratch),
        known_secrets=surroundings.known_secrets,
    )
