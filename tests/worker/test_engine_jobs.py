"""Whole jobs through the engine: real content, real installers, a real ledger."""

from datetime import timedelta
from pathlib import Path

import pytest

from contract.error_codes import ErrorCode
from contract.phases import PHASES, Phase
from contract.policy import Commands, Limits, Requirements, ReturnCode
from contract.report import PhaseOutcome, Report, WaitReason
from contract.rules import FileRule, RegistryRule, ScriptRule
from contract.states import (
    Applicability,
    ComplianceState,
    DesiredState,
    DetectionState,
    EnforcementState,
    Intent,
    Outcome,
    ReturnCodeType,
)
from tests.worker.rig import Rig


def _report(rig: Rig) -> Report:
    return rig.uplink.reports[-1]


def _phases(rig: Rig) -> list[Phase]:
    return [record.phase for record in _report(rig).phases]


@pytest.mark.behaviour("B-29", "B-40", "B-45", "B-53", "B-55", "B-59", "B-61")
def test_a_job_runs_all_eleven_phases_and_installs(rig: Rig) -> None:
    steps = rig.run(rig.new_job())
    assert [phase for phase, _ in steps] == list(PHASES)
    assert (rig.target / "editor").exists()
    report = _report(rig)
    assert report.outcome is Outcome.INSTALLED
    assert report.raw_exit_code == 0
    assert report.detection_state is DetectionState.DETECTED
    assert report.desired_state is DesiredState.PRESENT
    assert report.compliance_state is ComplianceState.INSTALLED
    assert report.enforcement_state is EnforcementState.SUCCESS
    assert report.bytes_downloaded == rig.content.ref.size
    assert "installing into" in report.output_tail
    assert _phases(rig) == list(PHASES)
    assert report.next_action is None


@pytest.mark.behaviour("B-43", "2.8 evaluated three times")
def test_every_phase_is_timed_and_says_what_it_found(rig: Rig) -> None:
    rig.run(rig.new_job())
    records = {record.phase: record for record in _report(rig).phases}
    assert all(record.outcome is PhaseOutcome.DONE and record.summary for record in records.values())
    assert records[Phase.DOWNLOAD].bytes_done == rig.content.ref.size
    assert records[Phase.UNPACK].bytes_done > 0
    assert "not there" in records[Phase.DETECT].summary
    assert "exit code 0: success" in records[Phase.INSTALL].summary


@pytest.mark.behaviour("B-57", "B-59", "C-12")
def test_success_leaves_no_content_behind(rig: Rig) -> None:
    rig.run(rig.new_job())
    folders = rig.device.folders
    assert [*folders.incoming.iterdir(), *folders.staging.iterdir(), *folders.cache.iterdir()] == []


def test_what_is_there_already_costs_five_messages_and_no_download(rig: Rig) -> None:
    (rig.target / "editor").touch()
    steps = rig.run(rig.new_job())
    assert [phase for phase, _ in steps] == [
        Phase.POLL,
        Phase.METADATA,
        Phase.DETECT,
        Phase.COMPLIANCE,
        Phase.REPORT,
    ]
    assert _report(rig).outcome is Outcome.ALREADY_INSTALLED
    assert rig.uplink.asked_for_content == 0
    assert rig.source.asked_from == []


def test_uninstall_runs_its_own_command_and_wants_the_app_gone(rig: Rig) -> None:
    (rig.target / "editor").touch()
    rig.run(rig.new_job(intent=Intent.UNINSTALL, requirements=Requirements(minimum_memory_in_mb=10**9)))
    report = _report(rig)
    assert not (rig.target / "editor").exists()
    assert report.outcome is Outcome.UNINSTALLED
    assert report.desired_state is DesiredState.NOT_PRESENT
    assert report.compliance_state is ComplianceState.NOT_INSTALLED
    assert report.enforcement_state is EnforcementState.SUCCESS


def test_uninstalling_what_is_not_there_is_done_at_once(rig: Rig) -> None:
    rig.run(rig.new_job(intent=Intent.UNINSTALL))
    assert _report(rig).outcome is Outcome.ALREADY_ABSENT


def test_an_app_that_is_not_applicable_is_never_downloaded(rig: Rig) -> None:
    rig.run(rig.new_job(requirements=Requirements(architectures=frozenset({"sparc"}))))
    report = _report(rig)
    assert report.outcome is Outcome.NOT_APPLICABLE
    assert report.applicability is Applicability.PROCESSOR_ARCHITECTURE_NOT_APPLICABLE
    assert report.enforcement_state is EnforcementState.REQUIREMENTS_NOT_MET
    assert report.compliance_state is ComplianceState.NOT_INSTALLED
    assert report.next_action is None
    assert rig.source.asked_from == []
    assert "sparc" in report.phases[3].summary


def test_requirement_rules_gate_the_download(rig: Rig) -> None:
    rules = (FileRule(path=str(rig.target), file_or_folder_name="licence"),)
    rig.run(rig.new_job(requirements=Requirements(rules=rules)))
    report = _report(rig)
    assert report.outcome is Outcome.REQUIREMENTS_NOT_MET
    assert report.applicability is Applicability.FILE_RULE_NOT_MET
    assert rig.source.asked_from == []


@pytest.mark.parametrize("place", ["detection", "requirement"])
def test_a_rule_this_platform_cannot_answer_makes_the_app_not_applicable(rig: Rig, place: str) -> None:
    rule = RegistryRule(key_path=r"HKLM\SOFTWARE\Editor")
    if place == "detection":
        rig.run(rig.new_job(detection_rules=(rule,)))
    else:
        rig.run(rig.new_job(requirements=Requirements(rules=(rule,))))
    assert _report(rig).outcome is Outcome.NOT_APPLICABLE
    assert _report(rig).applicability is Applicability.HOST_PLATFORM_NOT_APPLICABLE


def test_a_broken_detection_rule_fails_the_attempt_and_installs_nothing(rig: Rig) -> None:
    rule = FileRule(path="%NO_SUCH_VARIABLE%", file_or_folder_name="editor")
    rig.run(rig.new_job(detection_rules=(rule,)))
    report = _report(rig)
    assert report.outcome is Outcome.FAILED
    assert report.error is not None
    assert (report.error.number, report.error.phase) == (0x87D30000, Phase.DETECT)
    assert rig.installs() == 0
    assert not (rig.target / "editor").exists()


@pytest.mark.behaviour("2.7 unmapped", "B-53")
def test_a_failing_installer_is_reported_with_its_raw_exit_code_and_the_next_attempt(rig: Rig) -> None:
    (rig.target / "fail").write_text("73", encoding="utf-8")
    steps = rig.run(rig.new_job())
    assert [phase for phase, _ in steps][-3:] == [Phase.INSTALL, Phase.COMPLIANCE, Phase.REPORT]
    report = _report(rig)
    assert report.outcome is Outcome.FAILED
    assert report.raw_exit_code == 73
    assert report.error is not None
    assert (report.error.code, report.error.number) == ("installer-failed", 0x80070049)
    assert report.error.raw_exit_code == 73
    assert report.enforcement_state is EnforcementState.ERROR
    assert "installing into" in report.output_tail
    assert report.next_action is not None
    assert report.next_action.reason is WaitReason.RETRY_INTERVAL
    assert (report.next_action.at - report.ended_at).total_seconds() == 300


@pytest.mark.behaviour("B-56", "B-57")
def test_a_failed_attempt_keeps_its_content_and_the_next_one_downloads_nothing(rig: Rig) -> None:
    (rig.target / "fail").write_text("73", encoding="utf-8")
    ref = rig.new_job()
    rig.run(ref)
    assert rig.device.folders.content(rig.policy()).is_dir()
    (rig.target / "fail").unlink()
    rig.clock.advance(timedelta(minutes=5))
    rig.run(ref.next_attempt())
    report = _report(rig)
    assert report.outcome is Outcome.INSTALLED
    assert report.attempt == 2
    assert report.bytes_downloaded == 0
    assert rig.source.asked_from == [0]


@pytest.mark.behaviour("2.7 retry")
def test_an_exit_code_of_class_retry_says_so(rig: Rig) -> None:
    (rig.target / "fail").write_text("75", encoding="utf-8")
    codes = (ReturnCode(return_code=75, type=ReturnCodeType.RETRY),)
    rig.run(rig.new_job(return_codes=codes))
    error = _report(rig).error
    assert error is not None
    assert error.code == ErrorCode.INSTALLER_BUSY.slug


@pytest.mark.behaviour("B-55", "C-11", "2.7 exit success and not detected")
def test_success_without_detection_is_a_failure(rig: Rig) -> None:
    rig.run(rig.new_job(commands=Commands(install="true", uninstall="true")))
    report = _report(rig)
    assert report.error is not None
    assert (report.error.number, report.error.phase) == (0x87D1041C, Phase.CONFIRM)
    assert report.raw_exit_code == 0
    assert report.detection_state is DetectionState.NOT_DETECTED


@pytest.mark.behaviour("B-55")
def test_an_uninstall_that_leaves_the_app_is_a_failure(rig: Rig) -> None:
    (rig.target / "editor").touch()
    commands = Commands(install="true", uninstall="true")
    rig.run(rig.new_job(intent=Intent.UNINSTALL, commands=commands))
    error = _report(rig).error
    assert error is not None
    assert error.code == ErrorCode.STILL_DETECTED_AFTER_UNINSTALL.slug


@pytest.mark.behaviour("B-50")
@pytest.mark.parametrize("command", ["no-such-program --silent", "sh 'unclosed", "./not-there.sh"])
def test_a_command_that_cannot_start_is_named(rig: Rig, command: str) -> None:
    rig.run(rig.new_job(commands=Commands(install=command, uninstall="true")))
    error = _report(rig).error
    assert error is not None
    assert error.code == ErrorCode.INSTALLER_NOT_STARTED.slug
    assert command in error.detail


@pytest.mark.behaviour("B-52", "2.7 timeout")
def test_an_installer_that_hangs_is_ended_with_its_own_code(rig: Rig) -> None:
    (rig.target / "hold").touch()
    # Time enough to say something first, on a busy machine, too.
    rig.run(rig.new_job(limits=Limits(max_run_time_seconds=3)))
    report = _report(rig)
    assert report.error is not None
    assert report.error.code == ErrorCode.INSTALLER_TIMEOUT.slug
    assert report.raw_exit_code is None
    assert "installing into" in report.output_tail


def test_a_program_in_the_package_runs_though_packages_carry_no_permissions(rig: Rig) -> None:
    rig.run(rig.new_job(commands=Commands(install="./install.sh", uninstall="true")))
    error = _report(rig).error
    # It has no interpreter line: the system refuses it, but not for want of permission.
    assert error is not None
    assert "Exec format error" in error.detail


@pytest.mark.behaviour("2.8 evaluated three times")
def test_detection_right_before_the_command_saves_the_command(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.UNPACK)
    (rig.target / "editor").touch()
    handover = rig.engine.run(Phase.INSTALL, ref)
    assert handover.go_on_at is Phase.COMPLIANCE
    rig.engine.run(Phase.COMPLIANCE, ref)
    rig.engine.run(Phase.REPORT, ref)
    assert _report(rig).outcome is Outcome.ALREADY_INSTALLED
    assert rig.installs() == 0


@pytest.mark.behaviour("B-50")
def test_installers_see_a_clean_environment_and_why_they_run(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_AGENT", "x")
    detection = (ScriptRule(script_content=f"test -f {rig.target}/runs && echo there"),)
    commands = Commands(install="sh -c 'env > $TARGET/runs'", uninstall="true")
    ref = rig.new_job(commands=commands, detection_rules=detection)
    rig.run(ref)
    seen = dict(line.split("=", 1) for line in (rig.target / "runs").read_text(encoding="utf-8").splitlines())
    assert "SECRET_OF_THE_AGENT" not in seen
    assert seen["OUTRIDER_APP_ID"] == "editor"
    assert seen["OUTRIDER_INTENT"] == "required"
    assert seen["OUTRIDER_JOB_ID"] == ref.job_id
    assert Path(seen["PWD"]) == rig.device.folders.cache / "editor_1"


def test_the_last_result_of_an_app_is_kept(rig: Rig) -> None:
    (rig.target / "fail").write_text("73", encoding="utf-8")
    rig.run(rig.new_job())
    state = rig.device.ledger.apps.state("editor")
    assert state is not None
    assert state.outcome is Outcome.FAILED
    assert state.last_failed_enforcement == rig.clock.now()
    assert state.compliance.compliance_state is ComplianceState.ERROR
    assert state.enforcement.error_code == 0x80070049
    assert state.next_action is not None
    (rig.target / "fail").unlink()
    rig.clock.advance(timedelta(minutes=5))
    rig.run(rig.new_job())
    state = rig.device.ledger.apps.state("editor")
    assert state is not None
    assert state.last_failed_enforcement is None
    assert state.next_action is None
