"""Which policies are accepted, and which are not."""

import hashlib
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.envelopes import SignedEnvelope, draft, sign
from contract.error_codes import ErrorCode
from contract.jobs import JobRef
from contract.phases import Phase
from contract.policy import Delivery
from contract.report import PhaseOutcome
from contract.states import Intent
from contract.uplink import ContentInfo
from tests.support.trust import Roots, policy_keys
from tests.worker.rig import START, Rig
from worker.uplink.port import PolicyReply


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
    rig.uplink.policies[ref.job_id] = sign(rig.policy(), Ed25519PrivateKey.generate())
    assert _error(rig, ref) == ErrorCode.POLICY_UNTRUSTED.slug


def test_a_policy_changed_after_signing_is_refused(rig: Rig) -> None:
    ref = rig.new_job()
    envelope = rig.uplink.policies[ref.job_id]
    changed = envelope.payload.replace(b"sh install.sh", b"sh attack.sh")
    assert changed != envelope.payload
    rig.uplink.policies[ref.job_id] = SignedEnvelope(payload=changed, signatures=envelope.signatures)
    assert _error(rig, ref) == ErrorCode.POLICY_TAMPERED.slug


def test_a_signature_for_another_kind_of_document_is_none(rig: Rig) -> None:
    ref = rig.new_job()
    other = sign(ContentInfo(url="x", expires_at=START, size=1, sealed_key=b""), rig.policy_key)
    rig.uplink.policies[ref.job_id] = rig.uplink.policies[ref.job_id].model_copy(
        update={"signatures": other.signatures}
    )
    assert _error(rig, ref) == ErrorCode.POLICY_TAMPERED.slug


def test_an_envelope_without_a_signature_is_refused(rig: Rig) -> None:
    ref = rig.new_job()
    rig.uplink.policies[ref.job_id] = draft(rig.policy())
    assert _error(rig, ref) == ErrorCode.POLICY_UNSIGNED.slug


def test_a_policy_without_an_envelope_is_refused(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = rig.policy().to_json().encode()
    reply = PolicyReply(hashlib.sha256(bare).hexdigest(), bare, 1)
    monkeypatch.setattr(rig.uplink, "policy", lambda _ref, **_known: reply)
    assert _error(rig, rig.new_job()) == ErrorCode.POLICY_UNSIGNED.slug


def test_the_refusal_stands_in_the_report(rig: Rig) -> None:
    ref = rig.new_job()
    rig.uplink.policies[ref.job_id] = draft(rig.policy())
    rig.run(ref)
    (report,) = rig.uplink.reports
    assert report.error is not None
    assert (report.error.code, report.error.number) == ("policy-unsigned", ErrorCode.POLICY_UNSIGNED.number)


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


@pytest.mark.parametrize("change", [{"app_id": "viewer"}, {"intent": Intent.UNINSTALL}, {"revision": 2}])
def test_a_job_never_turns_into_another(rig: Rig, change: dict[str, object]) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.METADATA)
    rig.publish(ref, **change)
    assert _error(rig, ref.next_attempt()) == ErrorCode.POLICY_MISMATCH.slug


def test_an_app_id_that_could_leave_the_agents_folders_is_refused(rig: Rig) -> None:
    assert _error(rig, rig.new_job(app_id="../../etc")) == ErrorCode.DOCUMENT_INVALID.slug


# --- the newest seen --------------------------------------------------------------------------------------------------


def test_an_older_policy_of_the_same_revision_is_refused(rig: Rig) -> None:
    rig.run(rig.new_job(issued_at=START), until=Phase.METADATA)
    assert _error(rig, rig.new_job(issued_at=START - timedelta(seconds=1))) == ErrorCode.POLICY_ROLLED_BACK.slug


def test_the_same_and_newer_policies_of_a_revision_are_accepted(rig: Rig) -> None:
    for days in (0, 0, 1):
        ref = rig.new_job(issued_at=START + timedelta(days=days))
        rig.run(ref, until=Phase.METADATA)
        assert rig.device.ledger.attempts.records(ref)[-1].outcome is PhaseOutcome.DONE


@pytest.mark.parametrize(
    "change", [{"revision": 2}, {"intent": Intent.UNINSTALL}, {"delivery": Delivery(evaluate_only=True)}]
)
def test_policies_of_another_revision_intent_or_delivery_may_have_been_signed_earlier(
    rig: Rig, change: dict[str, object]
) -> None:
    rig.run(rig.new_job(issued_at=START), until=Phase.METADATA)
    ref = rig.new_job(issued_at=START - timedelta(days=1), **change)
    rig.run(ref, until=Phase.METADATA)
    assert rig.device.ledger.attempts.records(ref)[-1].outcome is PhaseOutcome.DONE


@pytest.mark.parametrize("older", [{"revision": 1}, {"revision": 2, "issued_at": START - timedelta(days=1)}])
def test_what_was_seen_is_known_after_a_restart_and_when_all_else_is_forgotten(
    rig: Rig, older: dict[str, object]
) -> None:
    rig.run(rig.new_job(revision=2))
    rig.restart()
    rig.run(rig.new_job(app_id="viewer"))
    rig.clock.advance(timedelta(days=1000))
    rig.device.ledger.attempts.prune(rig.clock.now())
    ref = rig.new_job(**{**older, "expires_at": rig.clock.now() + timedelta(days=1)})
    assert _error(rig, ref) == ErrorCode.POLICY_ROLLED_BACK.slug


# --- the trusted keys -------------------------------------------------------------------------------------------------


def test_a_policy_of_a_new_key_is_accepted_once_the_root_key_has_named_it(rig: Rig) -> None:
    new = Ed25519PrivateKey.generate()
    rig.uplink.trusted_keys_chain.append(rig.roots.signed(2, policy_keys(new)))
    ref = rig.new_job()
    rig.uplink.policies[ref.job_id] = sign(rig.policy(), new)
    rig.run(ref, until=Phase.METADATA)
    assert rig.device.ledger.attempts.records(ref)[-1].outcome is PhaseOutcome.DONE
    assert rig.device.trust.current.version == 2


def test_a_revoked_keys_policy_is_refused_also_the_one_that_is_kept(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.METADATA)
    rig.uplink.trusted_keys_chain.append(rig.roots.signed(2, policy_keys(Ed25519PrivateKey.generate())))
    assert _error(rig, ref.next_attempt()) == ErrorCode.POLICY_UNTRUSTED.slug
    rig.restart()
    assert _error(rig, rig.new_job()) == ErrorCode.POLICY_UNTRUSTED.slug


def test_a_key_whose_time_is_over_is_refused_however_old_its_policy_says_it_is(rig: Rig) -> None:
    ended = policy_keys(rig.policy_key, not_after=START + timedelta(days=1))
    rig.uplink.trusted_keys_chain.append(rig.roots.signed(2, ended))
    rig.run(rig.new_job(), until=Phase.METADATA)
    rig.clock.advance(timedelta(days=1))
    assert _error(rig, rig.new_job()) == ErrorCode.POLICY_UNTRUSTED.slug


def test_expired_trusted_keys_let_no_policy_in_until_they_are_renewed(rig: Rig) -> None:
    named = policy_keys(rig.policy_key)
    rig.uplink.trusted_keys_chain.append(rig.roots.signed(2, named, expires_at=START))
    assert _error(rig, rig.new_job()) == ErrorCode.TRUSTED_KEYS_EXPIRED.slug
    rig.uplink.trusted_keys_chain.append(rig.roots.signed(3, named))
    ref = rig.new_job()
    rig.run(ref, until=Phase.METADATA)
    assert rig.device.ledger.attempts.records(ref)[-1].outcome is PhaseOutcome.DONE


def test_trusted_keys_of_another_root_are_refused_and_those_before_stay(rig: Rig) -> None:
    attacker = Ed25519PrivateKey.generate()
    rig.uplink.trusted_keys_chain.append(Roots().signed(2, policy_keys(attacker)))
    ref = rig.new_job()
    rig.uplink.policies[ref.job_id] = sign(rig.policy(), attacker)
    assert _error(rig, ref) == ErrorCode.TRUSTED_KEYS_REFUSED.slug
    assert rig.device.trust.current.version == 1


def test_a_refused_policy_leaves_no_trace_in_the_ledger(rig: Rig) -> None:
    ref = rig.new_job(revision=7, expires_at=START)
    _error(rig, ref)
    assert rig.device.ledger.apps.highest_revision("editor") == 0
    assert rig.device.ledger.policies.binding(ref.job_id) is None
