"""A job that is only to look: it judges the device, executes nothing, and leaves the way free for the whole job."""

import pytest

from contract.phases import Phase
from contract.policy import Delivery, Requirements
from contract.rules import FileRule
from contract.states import (
    Applicability,
    ComplianceState,
    DetectionState,
    EnforcementState,
    Intent,
    Outcome,
)
from tests.worker.rig import Rig

LOOK = Delivery(evaluate_only=True)


def executed_nothing(rig: Rig) -> bool:
    folders = rig.device.folders
    left = [*folders.incoming.iterdir(), *folders.staging.iterdir(), *folders.cache.iterdir()]
    return rig.installs() == 0 and rig.uplink.asked_for_content == 0 and rig.source.asked_from == [] and left == []


@pytest.mark.behaviour("2.9 dependency", "2.5 EnforcementState 6000")
def test_what_could_be_installed_is_reported_and_left_alone(rig: Rig) -> None:
    rig.run(rig.new_job(delivery=LOOK))
    (report,) = rig.uplink.reports
    assert (report.outcome, report.enforcement_state) == (Outcome.EVALUATED, EnforcementState.NOT_ATTEMPTED)
    assert (report.detection_state, report.applicability) == (DetectionState.NOT_DETECTED, Applicability.APPLICABLE)
    assert report.compliance_state is ComplianceState.NOT_INSTALLED
    assert (report.error, report.next_action, report.raw_exit_code) == (None, None, None)
    assert not {record.phase for record in report.phases} & {Phase.UNPACK, Phase.INSTALL}
    assert executed_nothing(rig)


@pytest.mark.behaviour("2.9 dependency")
@pytest.mark.parametrize("restarted", [False, True])
def test_the_whole_job_follows_as_the_next_generation_of_the_same_job(rig: Rig, *, restarted: bool) -> None:
    look = rig.new_job(delivery=LOOK)
    rig.run(look)
    if restarted:
        rig.restart()
    whole = look.model_copy(update={"generation": 2})
    rig.publish(whole)
    rig.run(whole)
    assert [report.outcome for report in rig.uplink.reports] == [Outcome.EVALUATED, Outcome.INSTALLED]
    assert rig.installs() == 1


def test_what_is_there_is_reported_as_that(rig: Rig) -> None:
    (rig.target / "editor").touch()
    rig.run(rig.new_job(delivery=LOOK))
    assert rig.uplink.reports[-1].outcome is Outcome.ALREADY_INSTALLED
    assert executed_nothing(rig)


def test_what_is_not_for_the_device_is_reported_as_that(rig: Rig) -> None:
    rig.run(rig.new_job(delivery=LOOK, requirements=Requirements(minimum_memory_in_mb=10**9)))
    assert rig.uplink.reports[-1].outcome is Outcome.NOT_APPLICABLE
    assert executed_nothing(rig)


def test_a_rule_that_is_broken_is_a_failure_and_never_an_app_that_could_be_installed(rig: Rig) -> None:
    # A name too long for any file system.
    rule = FileRule(path=str(rig.target), file_or_folder_name="x" * 5000)
    rig.run(rig.new_job(delivery=LOOK, detection_rules=(rule,)))
    report = rig.uplink.reports[-1]
    assert report.outcome is Outcome.FAILED
    assert report.error is not None
    assert report.error.phase is Phase.DETECT
    assert executed_nothing(rig)


def test_a_removal_that_is_only_looked_at_removes_nothing(rig: Rig) -> None:
    (rig.target / "editor").touch()
    rig.run(rig.new_job(delivery=LOOK, intent=Intent.UNINSTALL))
    assert rig.uplink.reports[-1].outcome is Outcome.EVALUATED
    assert (rig.target / "editor").exists()


def test_looking_again_and_again_counts_as_no_failure(rig: Rig) -> None:
    for _ in range(3):
        rig.run(rig.new_job(delivery=LOOK))
    assert {report.outcome for report in rig.uplink.reports} == {Outcome.EVALUATED}
    rig.run(rig.new_job())
    assert rig.uplink.reports[-1].outcome is Outcome.INSTALLED
