"""Whether a policy is what the control plane signed: one rule, and an error of its own for each way it is not."""

from datetime import datetime

from contract.envelopes import SignedEnvelope, signers
from contract.error_codes import ErrorCode
from contract.errors import DocumentError, TrustError
from contract.policy import Policy
from contract.trusted_keys import TrustedKeys


def read_envelope(data: bytes) -> SignedEnvelope:
    """A policy's envelope as it came.

    Raises:
        TrustError: POLICY_UNSIGNED: it is none, or has no signature.
        DocumentError: It is written in a newer schema.
    """
    try:
        envelope = SignedEnvelope.from_json(data)
    except DocumentError as error:
        if error.code is not ErrorCode.DOCUMENT_INVALID:
            raise
        raise TrustError(ErrorCode.POLICY_UNSIGNED, detail=error.detail) from error
    if not envelope.signatures:
        raise TrustError(ErrorCode.POLICY_UNSIGNED, detail="the envelope has no signature")
    return envelope


def verify_policy(envelope: SignedEnvelope, trusted: TrustedKeys, now: datetime) -> Policy:
    """The policy inside, if a key that is trusted now signed it and its own time is not over.

    Raises:
        TrustError: TRUSTED_KEYS_EXPIRED, POLICY_UNTRUSTED, POLICY_TAMPERED or POLICY_EXPIRED.
        DocumentError: It is signed, but no policy this side understands.
    """
    if trusted.expires_at <= now:
        detail = f"version {trusted.version} at {trusted.expires_at.isoformat()}, the clock says {now.isoformat()}"
        raise TrustError(ErrorCode.TRUSTED_KEYS_EXPIRED, detail=detail)
    keys = trusted.policy_verifiers(now)
    named = {signature.key_id for signature in envelope.signatures}
    if not named & keys.keys():
        raise TrustError(ErrorCode.POLICY_UNTRUSTED, detail=_foreign(named, trusted))
    if not signers(envelope, Policy, keys):
        raise TrustError(ErrorCode.POLICY_TAMPERED, detail=f"the signature of {', '.join(sorted(named))} does not hold")
    policy = Policy.from_json(envelope.payload)
    if policy.expires_at <= now:
        detail = f"at {policy.expires_at.isoformat()}, the clock says {now.isoformat()}"
        raise TrustError(ErrorCode.POLICY_EXPIRED, detail=detail)
    return policy


def _foreign(named: set[str], trusted: TrustedKeys) -> str:
    known = f"version {trusted.version} of the trusted keys"
    ended = sorted(named & trusted.policy_keys.keys())
    if ended:
        return f"the time of {', '.join(ended)} is over in {known}"
    return f"signed by {', '.join(sorted(named))}, which {known} does not name"
