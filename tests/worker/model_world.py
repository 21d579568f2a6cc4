"""A world around the real engine and the real ledger: a queue, a control plane and phases that a test can steer.

The queue keeps the transport's promise and no more: a message is in it until it is acknowledged, what was taken and not
acknowledged is taken again after a crash, and a publish whose answer was lost is made twice.
"""

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.clock import ManualClock
from contract.envelopes import sign
from contract.error_codes import ErrorCode
from contract.errors import PhaseError, UnavailableError
from contract.jobs import JobRef
from contract.phases import PHASES, Phase
from contract.policy import Commands, ContentRef, Policy
from contract.report import PhaseOutcome, Report, WaitReason
from contract.rules import FileRule
from contract.states import Intent, Outcome
from contract.uplink import JobOrder, OrderKind
from worker.activity import Activity
from worker.engine import Engine
from worker.folders import Folders
from worker.handover import Handover
from worker.housekeeping.clock_duty import ClockDuty
from worker.housekeeping.orders import OrdersDuty
from worker.ledger.database import Durability
from worker.ledger.ledger import Ledger
from worker.phases.context import Deferred, PhaseContext, PhaseResult, done, failed, settled
from worker.phases.follow_up import end_wait, follow_up, unless_withheld
from worker.phases.report import report
from worker.progress import ProgressQueue
from worker.refused_messages import RefusedMessages
from worker.uplink.memory import MemoryUplink

if TYPE_CHECKING:
    from worker.device import Device

START = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
_KEY = Ed25519PrivateKey.generate()
DEVICE_ID = "11111111-2222-4333-8444-555555555555"


class CrashError(BaseException):
    """The process is gone, as by kill -9."""


class Answer(Enum):
    """What the phase that runs next does."""

    DONE = "does its work"
    SETTLED = "finds that nothing is to be done"
    FAILED = "fails"
    UNAVAILABLE = "finds a part silent"
    DEFERRED = "waits"
    CRASH = "is killed in the middle"


class Gap(Enum):
    """Where, after the phase, the process is killed."""

    NONE = "nowhere"
    BEFORE_PUBLISH = "before what follows is sent"
    BEFORE_ACK = "after that and before the acknowledgement"


@dataclass(frozen=True)
class Message:
    """A link of a chain in the device's queue.

    Attributes:
        due_at: When it is to be run: the agent that has taken it counts by a clock that never goes back.
        eta: The time of day that was written into it.
        stated: For how long it was sent to wait.
    """

    phase: Phase
    ref: JobRef
    turn: int
    due_at: datetime
    eta: datetime
    stated: timedelta = timedelta(0)

    @classmethod
    def after(cls, seconds: float, place: tuple[Phase, JobRef, int], *, now: datetime) -> "Message":
        """A message that waits for so long."""
        stated = timedelta(seconds=seconds)
        return cls(*place, now + stated, now + stated, stated)

    def taken_again(self, now: datetime) -> "Message":
        """The same, after an agent has started and reads the time of day in it."""
        return replace(self, due_at=min(self.eta, now + self.stated))


@dataclass
class World:
    """One device, its queue, and what the control plane has heard.

    Attributes:
        messages: Sent and not acknowledged.
        installs: How often the installer was started for each attempt.
        voided: Phases that were carried out for a generation older than one that had begun.
        disobeyed: Installers that were started although the device had been told to cancel.
        crash_in: Commits of the ledger until the process is killed, and whether just before or just after that one.
        power_is_cut: Whether what kills the process takes with it what the disk does not have yet.
    """

    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    uplink: MemoryUplink = field(default_factory=MemoryUplink)
    messages: list[Message] = field(default_factory=list)
    installs: Counter[JobRef] = field(default_factory=Counter)
    voided: list[tuple[Phase, JobRef]] = field(default_factory=list)
    disobeyed: list[JobRef] = field(default_factory=list)
    answer: Answer = Answer.DONE
    crash_in: tuple[int, bool] | None = None
    power_is_cut: bool = False

    def __post_init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="outrider-model-")
        self._ledger_file = Path(self._folder.name) / "ledger.db"
        self._on_disk = b""
        self._begun: dict[str, int] = {}
        self._cancelled: dict[str, int] = {}
        self.start()

    def start(self) -> None:
        """Start the agent; only the ledger's file outlives it."""
        self.crash_in = None
        self.ledger = Ledger(self._ledger_file)
        with self.ledger.database.transaction() as connection:
            pass
        self._on_disk = connection.serialize()
        self._let_commits_crash()
        self.device = cast(
            "Device",
            SimpleNamespace(
                identity=SimpleNamespace(device_id=DEVICE_ID),
                folders=Folders(Path(self._folder.name)),
                ledger=self.ledger,
                clock=self.clock,
                uplink=self.uplink,
                refused_messages=RefusedMessages(),
            ),
        )
        functions = dict.fromkeys(PHASES, self._work) | {
            Phase.METADATA: self._accept_policy,
            Phase.DOWNLOAD: unless_withheld(self._work),
            Phase.INSTALL: self._install,
            Phase.COMPLIANCE: self._judge,
            Phase.REPORT: report,
        }
        self.engine = Engine(
            self.device, ProgressQueue(), {name: self._counted(name, functions[name]) for name in PHASES}
        )

    def restart(self, *, power_is_cut: bool = False) -> None:
        """Kill the agent and start it again: what was taken is taken again."""
        self.ledger.close()
        if power_is_cut:
            self._ledger_file.write_bytes(self._on_disk)
        self.start()
        if power_is_cut:
            # What was begun and is not on the disk has not happened yet.
            self._begun = {job: self._newest_generation(job) for job in self._begun}
        self.messages = [message.taken_again(self.clock.now()) for message in self.messages]
        ClockDuty(self.ledger, self.clock).turn()

    def set_clock(self, by: timedelta) -> None:
        """Set the time of day; what has been taken is not moved by that."""
        self.clock.jump(by)
        self.messages = [replace(message, due_at=message.due_at + by) for message in self.messages]
        ClockDuty(self.ledger, self.clock).turn()

    def close(self) -> None:
        """Remove everything."""
        self.ledger.close()
        self._folder.cleanup()

    # --- the control plane ---

    def send(self, job_id: str, generation: int) -> None:
        """Put the chain of a generation into the queue."""
        ref = JobRef(job_id=job_id, generation=generation, attempt=1)
        self.messages.append(Message.after(0, (Phase.POLL, ref, 0), now=self.clock.now()))

    def order(self, job_id: str, generation: int, kind: OrderKind) -> None:
        """Let the device hear of an order."""
        self._cancelled[job_id] = generation
        order = JobOrder(job_id=job_id, generation=generation, kind=kind)
        OrdersDuty(self.device, Activity(self.clock)).take([order])

    def reports(self) -> list[Report]:
        """What the control plane has or will have without anything else happening."""
        return self.uplink.reports + [waiting.report for waiting in self.ledger.outbox.waiting()]

    # --- the queue ---

    def due(self) -> list[Message]:
        """What may be run now, in whatever order."""
        return [message for message in self.messages if message.due_at <= self.clock.now()]

    def deliver(self, message: Message, *, gap: Gap = Gap.NONE, publishes: int = 1) -> None:
        """Run a message as the queue's end does; killed where the world says so, the agent starts again."""
        try:
            handover = self.engine.run(message.phase, message.ref, turn=message.turn)
            _crash(gap, Gap.BEFORE_PUBLISH)
            self.messages += self._followers(message, handover) * publishes
            _crash(gap, Gap.BEFORE_ACK)
        except CrashError:
            self.restart(power_is_cut=self.power_is_cut)
        else:
            self.messages.remove(message)

    def deliver_stray(self, phase: Phase, ref: JobRef) -> None:
        """Run a message that was never sent, such as one from before the ledger's file was exchanged."""
        message = Message.after(0, (phase, ref, 0), now=self.clock.now())
        self.messages.append(message)
        self.deliver(message)

    def _followers(self, message: Message, handover: Handover) -> list[Message]:
        now = self.clock.now()
        followers = []
        if handover.next_chain is not None:
            chain = handover.next_chain
            followers.append(Message.after(chain.countdown_seconds, (Phase.POLL, chain.ref, 0), now=now))
        if handover.retry_in_seconds is not None:
            again = (message.phase, message.ref, message.turn + 1)
            return [*followers, Message.after(handover.retry_in_seconds, again, now=now)]
        if handover.go_on_at is not None:
            followers.append(Message.after(0, (handover.go_on_at, message.ref, 0), now=now))
        return followers

    # --- the phases ---

    def _counted(self, phase: Phase, function: Any) -> Any:
        def counted(context: PhaseContext) -> PhaseResult | Deferred:
            newest = self._begun.get(context.ref.job_id, 0)
            if context.ref.generation < newest:
                self.voided.append((phase, context.ref))
            self._begun[context.ref.job_id] = max(newest, context.ref.generation)
            result: PhaseResult | Deferred = function(context)
            if self.answer is Answer.CRASH:
                raise CrashError
            return result

        return counted

    def _work(self, context: PhaseContext) -> PhaseResult | Deferred:
        match self.answer:
            case Answer.SETTLED:
                found = context.findings.model_copy(update={"outcome": Outcome.ALREADY_INSTALLED})
                return settled(found, "already there")
            case Answer.FAILED:
                return failed(context.findings, PhaseError(ErrorCode.RULE_EVALUATION_FAILED))
            case Answer.UNAVAILABLE:
                raise UnavailableError(ErrorCode.API_UNAVAILABLE)
            case Answer.DEFERRED:
                return Deferred(WaitReason.RESTART_PENDING, 600)
        return done(context.findings, "done")

    def _accept_policy(self, context: PhaseContext) -> PhaseResult | Deferred:
        result = self._work(context)
        if not isinstance(result, PhaseResult) or result.outcome is not PhaseOutcome.DONE:
            return result
        policy = _policy(context.ref.job_id)
        envelope = sign(policy, _KEY).to_json().encode()
        digest = hashlib.sha256(envelope).hexdigest()
        self.ledger.policies.accept(context.ref.job_id, policy, digest=digest, envelope=envelope, now=self.clock.now())
        return done(context.findings.about(policy, digest), "accepted")

    def _install(self, context: PhaseContext) -> PhaseResult | Deferred:
        if self.ledger.installs.run(context.ref) is None:
            self.ledger.installs.starting(context.ref, "app", now=self.clock.now())
            self.installs[context.ref] += 1
            if context.ref.generation <= self._cancelled.get(context.ref.job_id, 0):
                self.disobeyed.append(context.ref)
        if self.answer is Answer.FAILED:
            return failed(context.findings, PhaseError(ErrorCode.INSTALLER_TIMEOUT))
        return done(context.findings.model_copy(update={"outcome": Outcome.INSTALLED}), "ran")

    def _judge(self, context: PhaseContext) -> PhaseResult:
        findings = context.findings
        outcome = findings.outcome or Outcome.FAILED
        if outcome is Outcome.FAILED and self.ledger.orders.cancels(context.ref):
            outcome = Outcome.CANCELLED
        action = None
        if outcome is Outcome.FAILED:
            policy = None if findings.policy_digest is None else context.policy
            action = follow_up(context, policy, findings)
        else:
            end_wait(context, findings)
        return done(findings.model_copy(update={"outcome": outcome, "next_action": action}), outcome)

    # --- the ledger ---

    def _newest_generation(self, job_id: str) -> int:
        ref = JobRef(job_id=job_id, generation=1, attempt=1)
        return self.ledger.attempts.standing(Phase.POLL, ref).newest_generation

    def _let_commits_crash(self) -> None:
        database = self.ledger.database
        commit = database.transaction

        @contextmanager
        def transaction(durability: Durability = Durability.NOW) -> Iterator[Any]:
            before, after = self._crashes_now()
            with commit(durability) as connection:
                yield connection
                if before:
                    raise CrashError
            if durability is Durability.NOW:
                self._on_disk = connection.serialize()
            if after:
                raise CrashError

        database.transaction = transaction  # type: ignore[method-assign]  # as above

    def _crashes_now(self) -> tuple[bool, bool]:
        if self.crash_in is None:
            return False, False
        commits, is_before = self.crash_in
        self.crash_in = (commits - 1, is_before) if commits else None
        return commits == 0 and is_before, commits == 0 and not is_before


def _policy(job_id: str) -> Policy:
    """Each job is for an app of its own."""
    return Policy(
        app_id=job_id,
        app_name="App",
        revision=1,
        intent=Intent.REQUIRED,
        commands=Commands(install="install", uninstall="uninstall"),
        detection_rules=(FileRule(path="/", file_or_folder_name="app"),),
        content=ContentRef(
            digest="0" * 64, size=0, plain_size=0, plain_digest=b"", mac=b"", mac_key=b"", initialization_vector=b""
        ),
        issued_at=START,
        expires_at=START + timedelta(days=30),
    )


def _crash(gap: Gap, here: Gap) -> None:
    if gap is here:
        raise CrashError
