"""What follows a failed attempt, and what keeps execution waiting until then (behaviour 2.6, B-56, B-58, B-64)."""

from datetime import timedelta

from contract.policy import Limits, Policy
from contract.report import NextAction, WaitReason
from contract.states import Intent, Outcome
from worker.findings import Findings
from worker.phases.context import Deferred, PhaseContext, PhaseFunction, PhaseResult, settled
from worker.rules.failures import failure_class
from worker.rules.grs import Hold, failures_in_a_row, hold_key, holds
from worker.rules.retry import next_action, next_wait


def unless_only_evaluated(phase: PhaseFunction) -> PhaseFunction:
    """The first phase of execution, which a job that is only to look does not enter.

    What comes before it has detected the app and checked its requirements; other apps may have to be there, or gone,
    before anything is executed (behaviour 2.9).
    """

    def evaluated(context: PhaseContext) -> PhaseResult | Deferred:
        if not context.policy.delivery.evaluate_only:
            return phase(context)
        found = context.findings.model_copy(update={"outcome": Outcome.EVALUATED})
        return settled(found, "not there and could be installed; the job was only to look")

    return evaluated


def unless_withheld(phase: PhaseFunction) -> PhaseFunction:
    """The first phase of execution, which an app that failed does not enter before its wait is over.

    What comes before it has judged the device anew, and that is reported with the failure that still stands.
    """

    def withheld(context: PhaseContext) -> PhaseResult | Deferred:
        hold = _standing_hold(context, context.policy, context.findings)
        if hold is None:
            return phase(context)
        found = {"outcome": Outcome.FAILED, "error": hold.error}
        words = f"not executed before {hold.until.isoformat(timespec='seconds')}: {hold.reason.sentence}"
        return settled(context.findings.model_copy(update=found), words)

    return withheld


def follow_up(context: PhaseContext, policy: Policy | None, findings: Findings) -> NextAction | None:
    """What the device does by itself after a failed attempt; None where it does nothing.

    The failure is counted in the ledger; a phase that is run again after a kill counts it once.
    """
    hold = _standing_hold(context, policy, findings) or _fail(context, policy, findings)
    if policy is not None and policy.intent is Intent.AVAILABLE and hold.reason is WaitReason.GRS:
        return None
    return next_action(context.ref, at=hold.until, reason=hold.reason, now=context.device.clock.now())


def end_wait(context: PhaseContext, findings: Findings) -> None:
    """Forget failures: the app is as desired, or not for this device."""
    context.device.ledger.holds.remove(_subject(context, findings))


def _standing_hold(context: PhaseContext, policy: Policy | None, findings: Findings) -> Hold | None:
    now = context.device.clock.now()
    hold = context.device.ledger.holds.standing(_subject(context, findings), now=now)
    stands = holds(hold, _key(context, policy), context.ref, asked_generation=findings.asked_generation, now=now)
    return hold if stands else None


def _fail(context: PhaseContext, policy: Policy | None, findings: Findings) -> Hold:
    ledger, subject, key = context.device.ledger.holds, _subject(context, findings), _key(context, policy)
    before = ledger.get(subject)
    failures = failures_in_a_row(before, key, context.ref, asked_generation=findings.asked_generation)
    limits = policy.limits if policy is not None else Limits()
    reason, seconds = next_wait(limits, failure_class(findings.error), failures)
    now = context.device.clock.now()
    hold = Hold(key, context.ref, failures, now, now + timedelta(seconds=seconds), reason, findings.error)
    ledger.put(subject, hold)
    return hold


def _subject(context: PhaseContext, findings: Findings) -> str:
    return findings.app_id or context.ref.job_id


def _key(context: PhaseContext, policy: Policy | None) -> str:
    return context.ref.job_id if policy is None else hold_key(policy, context.ref.job_id)
