"""Which policies are accepted, and which are not."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.envelopes import SignedEnvelope, sign
from contract.error_codes import ErrorCode
from contract.jobs import JobRef
from contract.phases import Phase
from contract.report import PhaseOutcome
from contract.states import Intent
from tests.worker.rig import START, Rig


def _error(rig: Rig, ref: JobRef) -> str:
    rig.run(ref, until=Phase.METADATA)
    assert rig.device.ledger.attempts.records(ref)[-1].outcome is PhaseOutcome.FAILED
    findings = rig.device.ledger.attempts.findings(ref)
    assert findings is not None
    assert findings.error is not None
    return findings.error.code


def test_a_policy_of_a_trusted_key_is_accepted_and_kept(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.METADATA)
    findings = rig.device.ledger.attempts.findings(ref)
    assert findings is not None
    assert (findings.app_id, findings.revision, findings.intent) == ("editor", 1, Intent.REQUIRED)
    assert findings.policy_digest is not None
    assert rig.device.ledger.policies.policy(findings.policy_digest) == rig.policy()


def test_a_known_policy_is_not_fetched_twice_but_verified_again(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.METADATA)
    rig.clock.advance(timedelta(days=31))
    assert _error(rig, ref.next_attempt()) == ErrorCode.POLICY_EXPIRED.slug


def test_a_policy_signed_by_anyone_else_is_refused(rig: Rig) -> None:
    ref = rig.new_job()
    rig.uplink.policies[ref.job_id] = sign(rig.policy(), Ed25519PrivateKey.generate(), "policy-1")
    assert _error(rig, ref) == ErrorCode.POLICY_UNTRUSTED.slug


def test_a_policy_changed_after_signing_is_refused(rig: Rig) -> None:
    ref = rig.new_job()
    envelope = rig.uplink.policies[ref.job_id]
    changed = envelope.payload.replace(b"sh install.sh", b"sh attack.sh")
    assert changed != envelope.payload
    rig.uplink.policies[ref.job_id] = SignedEnvelope(payload=changed, signatures=envelope.signatures)
    assert _error(rig, ref) == ErrorCode.POLICY_UNTRUSTED.slug


def test_an_expired_policy_is_refused(rig: Rig) -> None:
    assert _error(rig, rig.new_job(expires_at=START)) == ErrorCode.POLICY_EXPIRED.slug


def test_a_revision_older_than_one_already_seen_is_refused(rig: Rig) -> None:
    rig.run(rig.new_job(revision=2), until=Phase.METADATA)
    assert _error(rig, rig.new_job(revision=1)) == ErrorCode.POLICY_ROLLED_BACK.slug


def test_the_same_and_newer_revisions_are_accepted(rig: Rig) -> None:
    for revision in (2, 2, 3):
        ref = rig.new_job(revision=revision)
        rig.run(ref, until=Phase.METADATA)
        assert rig.device.ledger.attempts.records(ref)[-1].outcome is PhaseOutcome.DONE


def test_revisions_of_different_apps_are_independent(rig: Rig) -> None:
    rig.run(rig.new_job(revision=9), until=Phase.METADATA)
    ref = rig.new_job(app_id="viewer", revision=1)
    rig.run(ref, until=Phase.METADATA)
    assert rig.device.ledger.attempts.records(ref)[-1].outcome is PhaseOutcome.DONE


@pytest.mark.parametrize("change", [{"app_id": "viewer"}, {"intent": Intent.UNINSTALL}])
def test_a_job_never_turns_into_another(rig: Rig, change: dict[str, object]) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.METADATA)
    rig.publish(ref, **change)
    assert _error(rig, ref.next_attempt()) == ErrorCode.POLICY_MISMATCH.slug


def test_an_app_id_that_could_leave_the_agents_folders_is_refused(rig: Rig) -> None:
    assert _error(rig, rig.new_job(app_id="../../etc")) == ErrorCode.DOCUMENT_INVALID.slug


def test_a_refused_policy_leaves_no_trace_in_the_ledger(rig: Rig) -> None:
    ref = rig.new_job(revision=7, expires_at=START)
    _error(rig, ref)
    assert rig.device.ledger.apps.highest_revision("editor") == 0
    assert rig.device.ledger.policies.binding(ref.job_id) is None
