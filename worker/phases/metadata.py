"""Phase 2: the signed policy."""

from contract.envelopes import SignedEnvelope, verify
from contract.error_codes import ErrorCode
from contract.errors import NotFoundError, PhaseError
from contract.policy import Policy
from worker.folders import content_name
from worker.ledger.policies import Binding
from worker.phases.context import PhaseContext, PhaseResult, done, void
from worker.uplink.port import PolicyReply


def metadata(context: PhaseContext) -> PhaseResult:
    """Fetch the job's policy, or take the known one, and accept it only if everything about it is right.

    Raises:
        UnavailableError: The control plane does not answer.
        TrustError: POLICY_UNTRUSTED.
        DocumentError: It is signed but no policy this agent understands.
        PhaseError: POLICY_EXPIRED, POLICY_ROLLED_BACK or POLICY_MISMATCH.
    """
    ledger = context.device.ledger.policies
    binding = ledger.binding(context.ref.job_id)
    try:
        reply, envelope = _fetch(context, binding)
    except NotFoundError as error:
        if error.code is ErrorCode.UNKNOWN_JOB:
            return void(context.findings, "the control plane no longer knows the job")
        raise
    policy = _verified(context, envelope)
    _check_binding(policy, binding)
    ledger.accept(context.ref.job_id, policy, digest=reply.digest, envelope=envelope, now=context.device.clock.now())
    asked_generation = context.ref.generation if reply.reason.ends_grs else 0
    findings = context.findings.about(policy, reply.digest).model_copy(update={"asked_generation": asked_generation})
    return done(findings, f"{policy.app_name} {policy.app_version} revision {policy.revision}, {policy.intent.name}")


def _fetch(context: PhaseContext, binding: Binding | None) -> tuple[PolicyReply, bytes]:
    known = None
    if binding is not None:
        known = context.device.ledger.policies.envelope(binding.policy_digest)
    digest = binding.policy_digest if binding is not None and known is not None else None
    reply = context.device.uplink.policy(context.ref, known_digest=digest)
    if reply.envelope is not None:
        return reply, reply.envelope
    if known is None:
        raise PhaseError(
            ErrorCode.POLICY_UNAVAILABLE, detail="'not modified' was answered to an unconditional question"
        )
    return reply, known


def _verified(context: PhaseContext, envelope: bytes) -> Policy:
    device = context.device
    policy = verify(SignedEnvelope.from_json(envelope), Policy, device.identity.trusted_policy_keys)
    content_name(policy)
    now = device.clock.now()
    if policy.expires_at <= now:
        detail = f"at {policy.expires_at.isoformat()}, this device's clock says {now.isoformat()}"
        raise PhaseError(ErrorCode.POLICY_EXPIRED, detail=detail)
    highest = device.ledger.apps.highest_revision(policy.app_id)
    if policy.revision < highest:
        detail = f"revision {policy.revision}, already seen {highest}"
        raise PhaseError(ErrorCode.POLICY_ROLLED_BACK, detail=detail, place=policy.app_name)
    return policy


def _check_binding(policy: Policy, binding: Binding | None) -> None:
    if binding is not None and (policy.app_id, policy.intent) != (binding.app_id, binding.intent):
        detail = f"app {policy.app_id} {policy.intent.name}, the job is for {binding.app_id} {binding.intent.name}"
        raise PhaseError(ErrorCode.POLICY_MISMATCH, detail=detail)
