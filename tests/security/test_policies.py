"""Whoever answers in the control plane's place, without its keys: policies forged, changed, old, mixed, expired."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contract.envelopes import Signature, SignedEnvelope
from contract.jobs import JobRef
from contract.policy import Commands
from contract.states import Intent
from tests.security.conftest import RefusedBy
from tests.worker.rig import START, PackedContent, Rig

ATTACKER = "the network"

FORGED = "answers with a policy that is forged, changed or no policy"
OLD = "answers with an older policy"
EXPIRED = "answers with an expired policy"
MIXED = "answers with another job's policy"

#: What a device calls a policy that nobody it trusts signed as it is.
REFUSED = {"policy-untrusted", "policy-tampered", "policy-unsigned", "document-invalid"}


def envelope_of(rig: Rig, ref: JobRef) -> SignedEnvelope:
    return rig.uplink.policies[ref.job_id]


def answer_with(rig: Rig, ref: JobRef, envelope: SignedEnvelope) -> None:
    rig.uplink.policies[ref.job_id] = envelope


def refusal(rig: Rig, ref: JobRef) -> str:
    """The error that the report of an attempt names; nothing of it was carried out."""
    before = rig.installs()
    rig.run(ref)
    assert rig.installs() == before
    error = rig.uplink.reports[-1].error
    assert error is not None
    return error.code


# --- forged, changed, no policy ---------------------------------------------------------------------------------------


def with_command(envelope: SignedEnvelope) -> SignedEnvelope:
    policy = json.loads(envelope.payload)
    policy["commands"]["install"] = "touch owned"
    return envelope.model_copy(update={"payload": json.dumps(policy).encode()})


def unsigned(envelope: SignedEnvelope) -> SignedEnvelope:
    return envelope.model_copy(update={"signatures": ()})


def under_another_id(envelope: SignedEnvelope) -> SignedEnvelope:
    (signature,) = envelope.signatures
    return envelope.model_copy(update={"signatures": (signature.model_copy(update={"key_id": "0" * 32}),)})


def with_zeros(envelope: SignedEnvelope) -> SignedEnvelope:
    (signature,) = envelope.signatures
    return envelope.model_copy(update={"signatures": (signature.model_copy(update={"signature": bytes(64)}),)})


TAMPERED: dict[str, Callable[[SignedEnvelope], SignedEnvelope]] = {
    "another command": with_command,
    "no signature": unsigned,
    "a signature under another key's id": under_another_id,
    "a signature of zeros": with_zeros,
}


@pytest.mark.attack(FORGED)
@pytest.mark.parametrize("tampered", TAMPERED)
def test_a_changed_policy_is_refused(rig: Rig, tampered: str, refused_by: RefusedBy) -> None:
    ref = rig.new_job()
    answer_with(rig, ref, TAMPERED[tampered](envelope_of(rig, ref)))
    code = refusal(rig, ref)
    assert code in REFUSED
    refused_by(code)


@pytest.mark.attack(FORGED)
def test_a_policy_under_a_strangers_key_is_refused(
    rig: Rig, tmp_path: Path, content: PackedContent, refused_by: RefusedBy
) -> None:
    stranger = Rig(tmp_path / "stranger", content)
    theirs, mine = stranger.new_job(), rig.new_job()
    answer_with(rig, mine, envelope_of(stranger, theirs))
    stranger.device.ledger.close()
    code = refusal(rig, mine)
    assert code in REFUSED
    refused_by(code)


@pytest.mark.attack(FORGED)
def test_what_was_signed_as_something_else_passes_for_no_policy(rig: Rig, refused_by: RefusedBy) -> None:
    """The right key, the very bytes of a policy; but it was signed as a report."""
    ref = rig.new_job()
    honest = envelope_of(rig, ref)
    other_kind = rig.policy_key.sign(b"outrider-report-1\0" + honest.payload)
    signature = Signature(key_id=honest.signatures[0].key_id, signature=other_kind)
    answer_with(rig, ref, honest.model_copy(update={"signatures": (signature,)}))
    code = refusal(rig, ref)
    assert code in REFUSED
    refused_by(code)


@pytest.mark.guard_removed(FORGED)
def test_without_the_signatures_check_the_strangers_command_runs(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contract.envelopes._holds", lambda *_: True)
    ref = rig.new_job(commands=Commands(install="sh install.sh", uninstall="true"))
    policy = json.loads(envelope_of(rig, ref).payload)
    policy["commands"]["install"] = f"touch {rig.target / 'owned'}"
    answer_with(rig, ref, envelope_of(rig, ref).model_copy(update={"payload": json.dumps(policy).encode()}))
    rig.run(ref)
    assert (rig.target / "owned").exists()


# --- old --------------------------------------------------------------------------------------------------------------


@pytest.mark.attack(OLD)
def test_an_older_revision_than_was_seen_is_refused(rig: Rig, refused_by: RefusedBy) -> None:
    rig.run(rig.new_job(revision=2))
    (rig.target / "editor").unlink()
    code = refusal(rig, rig.new_job(revision=1))
    assert code == "policy-rolled-back"
    refused_by(code)


@pytest.mark.guard_removed(OLD)
def test_a_device_that_keeps_no_highest_revision_goes_back(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.run(rig.new_job(revision=2))
    (rig.target / "editor").unlink()
    monkeypatch.setattr(type(rig.device.ledger.apps), "highest_revision", lambda *_: 0)
    rig.run(rig.new_job(revision=1))
    assert rig.installs() == 2


# --- expired ----------------------------------------------------------------------------------------------------------


@pytest.mark.attack(EXPIRED)
def test_an_expired_policy_is_refused(rig: Rig, refused_by: RefusedBy) -> None:
    ref = rig.new_job(expires_at=START + timedelta(days=1))
    rig.clock.advance(timedelta(days=1))
    code = refusal(rig, ref)
    assert code == "policy-expired"
    refused_by(code)


@pytest.mark.guard_removed(EXPIRED)
def test_a_device_whose_clock_is_stopped_takes_it(rig: Rig) -> None:
    """Its own clock is all that a device has against it."""
    rig.run(rig.new_job(expires_at=START + timedelta(days=1)))
    assert rig.installs() == 1


# --- another job's ----------------------------------------------------------------------------------------------------

OTHERS: dict[str, dict[str, Any]] = {"app": {"app_id": "browser"}, "intent": {"intent": Intent.UNINSTALL}}


@pytest.mark.attack(MIXED)
@pytest.mark.parametrize("other", OTHERS)
def test_a_job_keeps_the_app_and_the_intent_it_began_with(rig: Rig, other: str, refused_by: RefusedBy) -> None:
    (rig.target / "fail").write_text("1", encoding="utf-8")
    ref = rig.new_job()
    rig.run(ref)
    (rig.target / "fail").unlink()
    rig.clock.advance(timedelta(hours=1))
    rig.publish(ref, **OTHERS[other])
    code = refusal(rig, ref.next_attempt())
    assert code == "policy-mismatch"
    refused_by(code)


@pytest.mark.guard_removed(MIXED)
def test_a_device_that_binds_no_job_takes_another_apps_policy(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    (rig.target / "fail").write_text("1", encoding="utf-8")
    ref = rig.new_job()
    rig.run(ref)
    (rig.target / "fail").unlink()
    rig.clock.advance(timedelta(hours=1))
    rig.publish(ref, app_id="browser")
    monkeypatch.setattr(type(rig.device.ledger.policies), "binding", lambda *_: None)
    rig.run(ref.next_attempt())
    assert rig.installs() == 1
