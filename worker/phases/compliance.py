"""Phase 10: set the states, decide what follows, clean the caches (behaviour B-57, B-59, B-60, C-12)."""

from datetime import datetime, timedelta

import structlog

from contract.phases import Phase
from contract.policy import Policy
from contract.rules import RunAsAccount
from contract.states import InstallContext, Intent, Outcome, TargetingMethod, TargetType
from worker.app_state import AppState, ComplianceStateMessage, EnforcementStateMessage
from worker.findings import Findings
from worker.narration.narrate import narrate
from worker.narration.states import states_set
from worker.narration.steps import Step
from worker.phases.aftermath import note_restart, tell_result
from worker.phases.context import PhaseContext, PhaseResult, done
from worker.phases.follow_up import end_wait, follow_up
from worker.rules.states import states

_CONTEXTS = {RunAsAccount.SYSTEM: InstallContext.SYSTEM, RunAsAccount.USER: InstallContext.USER}

_log = structlog.get_logger(__name__)


def compliance(context: PhaseContext) -> PhaseResult:
    """Turn the outcome into states and, after a failure, into the next attempt with its time and reason.

    Content is removed once the device is as desired; a failed attempt keeps it for the next one.
    """
    policy, findings = _known_policy(context)
    findings = _judged(context, policy, findings)
    restart = ""
    if policy is not None:
        state = _app_state(context, policy, findings)
        context.device.ledger.apps.set_state(state)
        states_set(state)
        restart = note_restart(context, policy, findings)
        _clean(context, policy, findings)
        tell_result(context, policy, findings)
    return done(findings, "; ".join(part for part in (_summary(findings), restart) if part))


def _known_policy(context: PhaseContext) -> tuple[Policy | None, Findings]:
    """The attempt's policy; where it got none, the one its job was last processed with."""
    if context.findings.policy_digest is not None:
        return context.policy, context.findings
    policies = context.device.ledger.policies
    binding = policies.binding(context.ref.job_id)
    policy = None if binding is None else policies.policy(binding.policy_digest)
    if binding is None or policy is None:
        return None, context.findings
    return policy, context.findings.about(policy, binding.policy_digest)


def _judged(context: PhaseContext, policy: Policy | None, findings: Findings) -> Findings:
    outcome = _outcome(context, findings)
    judged = states(outcome, findings.detection_state, findings.error, findings.exit_kind)
    action = None
    if outcome is Outcome.FAILED:
        action = follow_up(context, policy, findings)
    elif outcome is not Outcome.CANCELLED:
        end_wait(context, findings)
    return findings.model_copy(
        update={
            "outcome": outcome,
            "compliance_state": judged.compliance,
            "enforcement_state": judged.enforcement,
            "next_action": action,
        }
    )


def _outcome(context: PhaseContext, findings: Findings) -> Outcome:
    outcome = findings.outcome or Outcome.FAILED
    if outcome is Outcome.FAILED and context.device.ledger.orders.cancels(context.ref):
        return Outcome.CANCELLED
    return outcome


def _app_state(context: PhaseContext, policy: Policy, findings: Findings) -> AppState:
    now, ref = context.device.clock.now(), context.ref
    hold = context.device.ledger.holds.get(policy.app_id)
    number = findings.error.number if findings.error is not None else None
    outcome = findings.outcome or Outcome.FAILED
    is_targeted = policy.intent is not Intent.NOT_TARGETED
    method = TargetingMethod.TARGETED if is_targeted else TargetingMethod.DEPENDENCY
    return AppState(
        app_id=policy.app_id,
        app_name=policy.app_name,
        app_version=policy.app_version,
        revision=policy.revision,
        intent=policy.intent,
        job_id=ref.job_id,
        generation=ref.generation,
        attempt=ref.attempt,
        outcome=outcome,
        detection_state=findings.detection_state,
        compliance=ComplianceStateMessage(
            applicability=findings.applicability,
            compliance_state=findings.compliance_state,
            desired_state=findings.desired_state,
            error_code=number or 0,
            targeting_method=method,
            target_type=TargetType.DEVICE if is_targeted else TargetType.NONE,
            install_context=_CONTEXTS[policy.install_experience.run_as_account],
            product_version=policy.app_version,
        ),
        enforcement=EnforcementStateMessage(
            enforcement_state=findings.enforcement_state, error_code=number or 0, targeting_method=method
        ),
        error=findings.error,
        raw_exit_code=findings.raw_exit_code,
        download_started_at=_download_started_at(context),
        last_failed_enforcement=None if hold is None else hold.since,
        grs_expires_at=None if hold is None else hold.since + timedelta(seconds=policy.limits.grs_seconds),
        next_action=findings.next_action,
        updated_at=now,
    )


def _download_started_at(context: PhaseContext) -> datetime | None:
    download = context.device.ledger.attempts.ended(Phase.DOWNLOAD, context.ref)
    return None if download is None else download.record.started_at


def _clean(context: PhaseContext, policy: Policy, findings: Findings) -> None:
    context.device.keys.forget(context.ref)
    if findings.outcome is None or findings.outcome is Outcome.FAILED:
        return
    try:
        context.device.folders.remove_content(policy)
        narrate(Step.CONTENT_CLEANED, cache=str(context.device.folders.content(policy)))
    except OSError as error:
        # The app is as desired; content left behind is removed when the app is next processed.
        _log.warning("content could not be removed", error=error.strerror, place=error.filename)


def _summary(findings: Findings) -> str:
    words = f"{findings.outcome}: {findings.compliance_state.name}, {findings.enforcement_state.value}"
    action = findings.next_action
    if action is None:
        return words
    return f"{words}; next attempt at {action.at.isoformat(timespec='seconds')}: {action.reason.sentence}"
