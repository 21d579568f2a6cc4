"""An operator has a device look again: what is there is not touched, waits go on, what is missing is put right."""

import pytest

from contract.jobs import JobRef
from contract.phases import Phase
from contract.states import Intent, Outcome
from contract.uplink import GenerationReason
from tests.worker.rig import Rig


def asked_to_look(rig: Rig, ref: JobRef) -> JobRef:
    """The job as it is sent when an operator asks for detection."""
    rig.uplink.reasons[ref.job_id] = GenerationReason.DETECTION
    return ref.model_copy(update={"generation": ref.generation + 1, "attempt": 1})


def test_what_is_there_is_reported_with_what_was_compared_and_not_touched(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref)
    phases = [phase for phase, _ in rig.run(asked_to_look(rig, ref))]
    assert phases == [Phase.POLL, Phase.METADATA, Phase.DETECT, Phase.COMPLIANCE, Phase.REPORT]
    report = rig.uplink.reports[-1]
    assert (report.outcome, report.generation) == (Outcome.ALREADY_INSTALLED, ref.generation + 1)
    assert report.phases[2].summary, "what was compared is told"
    assert rig.installs() == 1


def test_what_is_gone_meanwhile_is_put_right(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref)
    rig.run(rig.new_job(intent=Intent.UNINSTALL))
    rig.run(asked_to_look(rig, ref))
    assert rig.uplink.reports[-1].outcome is Outcome.INSTALLED
    assert rig.installs() == 2


@pytest.mark.behaviour("2.6 GRS")
def test_a_wait_after_failures_goes_on(rig: Rig) -> None:
    (rig.target / "fail").write_text("1", encoding="utf-8")
    ref = rig.new_job()
    rig.run(ref)
    first = rig.uplink.reports[-1]
    (rig.target / "fail").unlink()
    installs = rig.installs()
    rig.run(asked_to_look(rig, ref))
    second = rig.uplink.reports[-1]
    assert first.next_action is not None
    assert second.next_action is not None
    assert (second.outcome, second.next_action.at) == (Outcome.FAILED, first.next_action.at)
    assert rig.installs() == installs
