"""Installer runs, apps, policies and the outbox."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from contract.envelopes import SignedEnvelope, sign
from contract.jobs import JobRef
from contract.phases import Phase
from contract.states import Intent
from tests.worker.rig import Rig
from worker.ledger.ledger import Ledger

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REF = JobRef(job_id=str(uuid4()), generation=1, attempt=1)


def test_an_installer_is_unfinished_from_before_it_starts_until_it_was_seen_to_end(ledger: Ledger) -> None:
    assert ledger.installs.unfinished("editor") is None
    ledger.installs.starting(REF, "editor", now=NOW)
    run = ledger.installs.unfinished("editor")
    assert run is not None
    assert (run.ref, run.pid, run.create_time) == (REF, None, None)
    ledger.installs.started(REF, pid=42, create_time=1.5)
    run = ledger.installs.unfinished("editor")
    assert run is not None
    assert (run.pid, run.create_time, run.started_at) == (42, 1.5, NOW)
    assert ledger.installs.unfinished("other") is None
    ledger.installs.ended(REF, exit_code=3, now=NOW)
    assert ledger.installs.unfinished("editor") is None
    own = ledger.installs.run(REF)
    assert own is not None
    assert own.exit_code == 3


def _accept(rig: Rig, ref: JobRef, *, revision: int = 1, digest: str = "d1") -> SignedEnvelope:
    rig.device.ledger.attempts.begin(Phase.POLL, ref, now=NOW)
    policy = rig.policy(revision=revision)
    envelope = sign(policy, rig.policy_key)
    rig.device.ledger.policies.accept(ref.job_id, policy, digest=digest, envelope=envelope.to_json().encode(), now=NOW)
    return envelope


def test_a_policy_is_found_by_its_digest_and_its_job(rig: Rig) -> None:
    _accept(rig, REF)
    policies = rig.device.ledger.policies
    assert policies.policy("d1") == rig.policy()
    binding = policies.binding(REF.job_id)
    assert binding is not None
    assert (binding.app_id, binding.intent, binding.policy_digest) == ("editor", Intent.REQUIRED, "d1")
    assert policies.policy("d2") is None
    assert policies.binding(str(uuid4())) is None


def test_a_policy_is_the_same_at_hand_and_read_from_the_file(rig: Rig) -> None:
    digests = {f"d{number}": JobRef(job_id=str(uuid4()), generation=1, attempt=1) for number in range(40)}
    for digest, ref in digests.items():
        _accept(rig, ref, digest=digest)
    with closing(Ledger(rig.device.folders.ledger)) as anew:
        found = [(rig.device.ledger.policies.policy(digest), anew.policies.policy(digest)) for digest in digests]
    assert found == [(rig.policy(), rig.policy())] * len(digests)


def test_a_policy_no_job_uses_any_more_is_dropped(rig: Rig) -> None:
    _accept(rig, REF, digest="d1")
    _accept(rig, REF, revision=2, digest="d2")
    assert rig.device.ledger.policies.envelope("d1") is None
    assert rig.device.ledger.policies.envelope("d2") is not None


def test_the_highest_revision_only_grows(rig: Rig) -> None:
    _accept(rig, REF, revision=5)
    _accept(rig, REF, revision=3, digest="d3")
    assert rig.device.ledger.apps.highest_revision("editor") == 5
    assert rig.device.ledger.apps.highest_revision("other") == 0


def test_an_app_without_a_result_is_not_shown(rig: Rig) -> None:
    _accept(rig, REF)
    assert rig.device.ledger.apps.states() == []
    assert rig.device.ledger.apps.state("editor") is None


def test_the_outbox_keeps_reports_over_a_restart_the_earliest_due_first(rig: Rig) -> None:
    rig.uplink.available = True
    rig.run(rig.new_job())
    (report,) = rig.uplink.reports
    outbox = rig.device.ledger.outbox
    later = report.model_copy(update={"attempt": 2})
    outbox.put(later, due_at=NOW + timedelta(seconds=9))
    outbox.put(report, due_at=NOW)
    outbox.put(report, due_at=NOW + timedelta(seconds=1))
    rig.restart()
    outbox = rig.device.ledger.outbox
    assert [waiting.report for waiting in outbox.waiting()] == [report, later]
    outbox.postpone(report, due_at=NOW + timedelta(seconds=60))
    assert [(waiting.report.attempt, waiting.tries) for waiting in outbox.waiting()] == [(2, 0), (1, 1)]
    outbox.remove(report)
    outbox.remove(later)
    assert outbox.waiting() == []
