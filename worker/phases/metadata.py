"""Phase 2: the signed policy."""

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError, PhaseError
from contract.policy import Policy
from contract.policy_verification import read_envelope, verify_policy
from worker.folders import content_name
from worker.ledger.ledger import Ledger
from worker.ledger.policies import Binding
from worker.phases.context import PhaseContext, PhaseResult, done, void
from worker.uplink.port import PolicyReply


def metadata(context: PhaseContext) -> PhaseResult:
    """Fetch the job's policy, or take the known one, and accept it only if everything about it is right.

    Raises:
        UnavailableError: The control plane does not answer.
        TrustError: TRUSTED_KEYS_REFUSED, TRUSTED_KEYS_EXPIRED, POLICY_UNSIGNED, POLICY_UNTRUSTED, POLICY_TAMPERED or
            POLICY_EXPIRED.
        DocumentError: It is signed but no policy this agent understands.
        PhaseError: POLICY_MISMATCH or POLICY_ROLLED_BACK.
    """
    ledger = context.device.ledger.policies
    binding = ledger.binding(context.ref.job_id)
    try:
        reply, envelope = _fetch(context, binding)
    except NotFoundError as error:
        if error.code is ErrorCode.UNKNOWN_JOB:
            return void(context.findings, "the control plane no longer knows the job")
        raise
    context.device.trust.learn(reply.trusted_keys_version, context.device.uplink)
    policy = _verified(context, envelope)
    _check_binding(policy, binding)
    _check_age(policy, context.device.ledger)
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
    policy = verify_policy(read_envelope(envelope), device.trust.current, device.clock.now())
    content_name(policy)
    return policy


def _check_binding(policy: Policy, binding: Binding | None) -> None:
    if binding is not None and _target(policy) != _target(binding):
        detail = f"it is for {_target(policy)}, the job for {_target(binding)}"
        raise PhaseError(ErrorCode.POLICY_MISMATCH, detail=detail)


def _target(of: Policy | Binding) -> str:
    return f"app {of.app_id} revision {of.revision} {of.intent.name}"


def _check_age(policy: Policy, ledger: Ledger) -> None:
    highest = ledger.apps.highest_revision(policy.app_id)
    if policy.revision < highest:
        detail = f"revision {policy.revision}, already seen {highest}"
        raise PhaseError(ErrorCode.POLICY_ROLLED_BACK, detail=detail, place=policy.app_name)
    newest = ledger.policies.newest_issued_at(policy)
    if newest is not None and policy.issued_at < newest:
        detail = f"issued at {policy.issued_at.isoformat()}, already seen one of {newest.isoformat()}"
        raise PhaseError(ErrorCode.POLICY_ROLLED_BACK, detail=detail, place=policy.app_name)
