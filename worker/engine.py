"""The loop that drives phases: admission, the phase itself, its record, what follows."""

import sqlite3
from collections.abc import Callable, Mapping
from datetime import timedelta

import structlog

from contract.error_codes import ErrorCode
from contract.errors import OutriderError, PhaseError, UnavailableError
from contract.jobs import JobRef
from contract.phases import Phase
from contract.report import PhaseOutcome, PhaseRecord, Wait, WaitReason
from contract.states import Outcome
from worker.activity import Activity
from worker.device import Device
from worker.findings import Findings
from worker.handover import Handover, NextChain
from worker.ledger.attempts import PhaseEnd, PhaseStart
from worker.narration import phases as narration
from worker.phases.context import Deferred, PhaseContext, PhaseFunction, PhaseResult, failed, settled
from worker.phases.table import PHASE_FUNCTIONS
from worker.progress import PhaseReporter, ProgressQueue
from worker.rules.admission import Admission, admit
from worker.rules.backoff import wait_after
from worker.rules.failures import error_report
from worker.rules.retry import countdown_seconds, seconds_until
from worker.rules.sequence import successor

_log = structlog.get_logger(__name__)

#: From one try to use a ledger that cannot be used to the next.
_LEDGER_WAIT_SECONDS = 60.0
#: How many hand-overs are remembered; a message is repeated soon or after a restart.
_REMEMBERED_HANDOVERS = 1000


class Engine:
    """Carries out phases and says what follows each.

    It is called by one thread. Whatever happens inside a phase, it answers: the thread that reads the queue never
    meets an exception.
    """

    def __init__(
        self,
        device: Device,
        progress: ProgressQueue,
        functions: Mapping[Phase, PhaseFunction] = PHASE_FUNCTIONS,
        activity: Activity | None = None,
    ) -> None:
        self._device = device
        self._progress = progress
        self._activity = activity or Activity(device.clock)
        self._functions = functions
        self._handed_on: dict[tuple[Phase, JobRef, int | None], None] = {}

    def run(self, phase: Phase, ref: JobRef, *, turn: int = 0) -> Handover:
        """Carry out a phase that a message asks for, unless it is void, waits, or has ended before.

        A message that comes twice is harmless: a phase that waits or has ended is not carried out again, and hands on
        again only where what follows was neither seen nor sent by this process.
        """
        with structlog.contextvars.bound_contextvars(
            job=ref.job_id, generation=ref.generation, attempt=ref.attempt, phase=phase.value
        ):
            try:
                with self._activity.working_on(ref):
                    return self._admit(phase, ref, turn)
            except sqlite3.Error:
                # Nothing can be remembered now, so nothing is done now.
                _log.exception("the ledger cannot be used")
                return Handover(retry_in_seconds=_LEDGER_WAIT_SECONDS)

    def _admit(self, phase: Phase, ref: JobRef, turn: int) -> Handover:
        match admit(phase, ref, self._device.ledger.attempts.standing(phase, ref), turn=turn):
            case Admission.DUE:
                return self._perform(phase, ref, turn)
            case Admission.REPEATED:
                return self._hand_on_again(phase, ref, turn)
            case Admission.VOID:
                _log.info("the message is void")
                return Handover()
            case Admission.UNASKED:
                _log.warning("a message for a phase that nothing led to was refused")
                self._device.refused_messages.count()
                return Handover()

    def _perform(self, phase: Phase, ref: JobRef, turn: int) -> Handover:
        clock = self._device.clock
        start = self._device.ledger.attempts.begin(phase, ref, now=clock.now())
        if start is None:
            _log.info("the attempt was ended while its message was on the way")
            return Handover()
        reporter = PhaseReporter(self._progress, clock, ref, phase, start.starts)
        if phase is Phase.REPORT:
            self._progress.forget(ref)
        else:
            reporter.started()
        try:
            return self._carry_out(phase, ref, turn, start, reporter)
        except sqlite3.Error as error:
            now = clock.now()
            at = now + timedelta(seconds=_LEDGER_WAIT_SECONDS)
            reporter.waits(Wait(since=now, at=at, reason=WaitReason.LEDGER, detail=str(error)))
            raise

    def _carry_out(self, phase: Phase, ref: JobRef, turn: int, start: PhaseStart, reporter: PhaseReporter) -> Handover:
        clock = self._device.clock
        started_at, started = clock.now(), clock.monotonic()
        context = PhaseContext(ref, self._device, start.findings, reporter.on_bytes, started_at)
        with structlog.contextvars.bound_contextvars(**narration.about(start.findings)):
            result = self._cancelled(phase, context) or self._call(phase, context, start.failures + 1)
        if isinstance(result, Deferred):
            return self._defer(phase, ref, turn, result, reporter)
        record = PhaseRecord(
            phase=phase,
            outcome=result.outcome,
            started_at=started_at,
            ended_at=clock.now(),
            duration_seconds=clock.monotonic() - started,
            bytes_done=result.bytes_done,
            summary=result.summary,
        )
        with structlog.contextvars.bound_contextvars(**narration.about(result.findings)):
            handover = self._conclude(ref, record, result)
            _say(narration.ended, record, result.findings, context)
        if phase is Phase.REPORT:
            # The report may wait for its delivery, the device for a restart: that is the other thread's.
            self._progress.on_news()
        else:
            reporter.ended(record)
        return handover

    def _cancelled(self, phase: Phase, context: PhaseContext) -> PhaseResult | None:
        """The result of a phase that is not carried out any more, because an operator cancelled the job.

        A command that was started is waited for, and what came of it is judged and told.
        """
        ledger = self._device.ledger
        is_safe = phase.position <= Phase.INSTALL.position and ledger.installs.run(context.ref) is None
        if not is_safe or not ledger.orders.cancels(context.ref):
            return None
        cancelled = context.findings.model_copy(update={"outcome": Outcome.CANCELLED})
        return settled(cancelled, "an operator cancelled the job")

    def _call(self, phase: Phase, context: PhaseContext, tries: int) -> PhaseResult | Deferred:
        try:
            _say(narration.begins, phase, context)
            return self._functions[phase](context)
        except UnavailableError as error:
            wait_seconds = wait_after(tries)
            if wait_seconds is None:
                return failed(context.findings, error)
            return Deferred(WaitReason.UNAVAILABLE, wait_seconds, str(error))
        except OutriderError as error:
            return failed(context.findings, error)
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001  a defect in one phase must not end the agent
            _log.exception("the phase failed unexpectedly")
            return failed(
                context.findings, PhaseError(ErrorCode.CLIENT_ERROR, detail=f"{type(error).__name__}: {error}")
            )

    def _defer(self, phase: Phase, ref: JobRef, turn: int, deferred: Deferred, reporter: PhaseReporter) -> Handover:
        now = self._device.clock.now()
        at = now + timedelta(seconds=deferred.seconds)
        wait = Wait(since=now, at=at, reason=deferred.reason, detail=deferred.detail)
        unanswered = deferred.reason is WaitReason.UNAVAILABLE
        self._device.ledger.attempts.defer(phase, ref, wait, turn=turn + 1, failed=unanswered)
        self._remember(phase, ref, turn)
        _log.warning("waiting", reason=wait.reason.sentence, detail=wait.detail, seconds=deferred.seconds)
        reporter.waits(wait)
        return Handover(retry_in_seconds=deferred.seconds)

    def _conclude(self, ref: JobRef, record: PhaseRecord, result: PhaseResult) -> Handover:
        findings = result.findings
        if result.error is not None:
            error = error_report(result.error, record.phase)
            findings = findings.model_copy(update={"outcome": Outcome.FAILED, "error": error})
        end = PhaseEnd(record, successor(record.phase, record.outcome))
        closes = record.phase is Phase.REPORT or record.outcome is PhaseOutcome.VOID
        self._device.ledger.attempts.end(ref, end, findings, closes=closes)
        _log_end(record)
        self._remember(record.phase, ref)
        return self._handover(end, findings, ref)

    def _hand_on_again(self, phase: Phase, ref: JobRef, turn: int) -> Handover:
        attempts = self._device.ledger.attempts
        end, findings = attempts.ended(phase, ref), attempts.findings(ref)
        if end is None or findings is None:
            return self._wait_again(phase, ref, turn)
        if (phase, ref, None) in self._handed_on:
            return Handover()
        handover = self._handover(end, findings, ref)
        if self._is_seen(handover, ref):
            return Handover()
        _log.info("the phase has ended before; it hands on again")
        self._remember(phase, ref)
        return handover

    def _wait_again(self, phase: Phase, ref: JobRef, turn: int) -> Handover:
        wait = self._device.ledger.attempts.wait(phase, ref)
        if wait is None or (phase, ref, turn) in self._handed_on:
            # Without a wait the next turn has begun: its message was seen.
            return Handover()
        _log.info("the phase waits; it hands on to its next turn again")
        self._remember(phase, ref, turn)
        now = self._device.clock.now()
        return Handover(retry_in_seconds=seconds_until(wait.as_of(now).at, now=now))

    def _handover(self, end: PhaseEnd, findings: Findings, ref: JobRef) -> Handover:
        action = findings.next_action
        if end.record.phase is not Phase.REPORT or action is None:
            return Handover(go_on_at=end.hands_on_to)
        following = ref.model_copy(update={"generation": action.generation, "attempt": action.attempt})
        countdown = countdown_seconds(action, now=self._device.clock.now())
        return Handover(next_chain=NextChain(following, countdown))

    def _is_seen(self, handover: Handover, ref: JobRef) -> bool:
        attempts = self._device.ledger.attempts
        if handover.next_chain is not None:
            return attempts.has_begun(Phase.POLL, handover.next_chain.ref)
        return handover.go_on_at is None or attempts.has_begun(handover.go_on_at, ref)

    def _remember(self, phase: Phase, ref: JobRef, turn: int | None = None) -> None:
        """What this process has handed on: the end of a phase, or the wait of one of its turns."""
        self._handed_on[phase, ref, turn] = None
        while len(self._handed_on) > _REMEMBERED_HANDOVERS:
            del self._handed_on[next(iter(self._handed_on))]


def _say(step: Callable[..., None], *facts: object) -> None:
    """Whatever goes wrong with saying it, what was done is handed on."""
    try:
        step(*facts)
    except Exception:  # noqa: BLE001  as above
        _log.exception("a step could not be said")


def _log_end(record: PhaseRecord) -> None:
    log = _log.warning if record.outcome is PhaseOutcome.FAILED else _log.info
    log(
        f"{record.phase} {record.outcome}",
        summary=record.summary,
        duration_seconds=round(record.duration_seconds, 3),
        bytes=record.bytes_done,
    )
