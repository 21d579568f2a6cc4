"""What a job makes of rules: detection, the device, the app's own requirements, then detection twice more."""

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from contract.phases import Phase
from contract.policy import Requirements
from contract.report import Report
from contract.rules import (
    FileOperation,
    FileRule,
    Operator,
    ProcessRule,
    RegistryRule,
    Rule,
    RunAsAccount,
    ScriptOutput,
    ScriptRule,
)
from contract.states import Applicability, Intent, Outcome
from tests.worker.rig import Rig
from worker.installation.user_context import LoggedOnUser
from worker.judgement import machine
from worker.phases import user_wait
from worker.phases.user_wait import NO_USER_WAIT_SECONDS
from worker.processes.account import account_of, own_account_name

NO_REGISTRY_HERE = pytest.mark.skipif(sys.platform == "win32", reason="Windows answers registry rules")

DIR = str(Path(__file__).parent)
ABSENT = FileRule(path=DIR, file_or_folder_name="no-such-file")
REGISTRY = RegistryRule(key_path=r"HKLM\SOFTWARE\Editor")
#: Nothing can be compared with this.
INVALID = FileRule(path=DIR, file_or_folder_name="x", operation_type=FileOperation.SIZE_IN_MB)
#: The machine does not tell.
UNREADABLE = FileRule(path="%NO_SUCH_VARIABLE%", file_or_folder_name="x")


def _reported(rig: Rig, **policy: object) -> Report:
    rig.run(rig.new_job(**policy))
    return rig.uplink.reports[-1]


def _phases(report: Report) -> list[Phase]:
    return [record.phase for record in report.phases]


def _requiring(*rules: Rule) -> Requirements:
    return Requirements(rules=rules)


@pytest.mark.behaviour("B-33")
def test_what_is_detected_is_neither_judged_further_nor_downloaded_nor_installed(rig: Rig) -> None:
    (rig.target / "editor").touch()
    report = _reported(rig, requirements=Requirements(architectures=frozenset({"sparc"})))
    assert report.outcome is Outcome.ALREADY_INSTALLED
    assert not {Phase.APPLICABILITY, Phase.DOWNLOAD, Phase.INSTALL} & set(_phases(report))
    assert rig.installs() == 0


@pytest.mark.behaviour("B-34", "2.8 detection before applicability")
def test_detection_comes_before_applicability_and_that_before_requirement_rules(rig: Rig) -> None:
    required = Requirements(architectures=frozenset({"sparc"}), rules=(INVALID,))
    report = _reported(rig, requirements=required)
    assert report.applicability is Applicability.PROCESSOR_ARCHITECTURE_NOT_APPLICABLE
    assert _phases(report)[2:4] == [Phase.DETECT, Phase.APPLICABILITY]
    assert Phase.REQUIREMENTS not in _phases(report)


@pytest.mark.behaviour("2.8 evaluated three times", "B-24")
def test_detection_is_asked_before_right_before_the_command_and_after_it(rig: Rig) -> None:
    counted = f"echo asked >> {rig.target}/asked; test -f {rig.target}/editor && echo found"
    report = _reported(rig, detection_rules=(ScriptRule(script_content=counted),))
    assert report.outcome is Outcome.INSTALLED
    assert len((rig.target / "asked").read_text(encoding="utf-8").splitlines()) == 3


@pytest.mark.behaviour("B-35", "2.5 invalid detection rule 0x87D30004")
def test_an_invalid_detection_rule_has_its_own_number_and_installs_nothing(rig: Rig) -> None:
    report = _reported(rig, detection_rules=(ABSENT, INVALID))
    assert report.outcome is Outcome.FAILED
    assert report.error is not None
    assert (report.error.number, report.error.phase) == (0x87D30004, Phase.DETECT)
    assert "detection rule 2 (file)" in f"{report.error}"
    assert rig.installs() == 0


@pytest.mark.behaviour("B-35")
def test_a_detection_rule_that_cannot_be_evaluated_never_means_not_detected(rig: Rig) -> None:
    report = _reported(rig, detection_rules=(UNREADABLE,))
    assert report.error is not None
    assert (report.error.number, report.error.phase) == (0x87D30000, Phase.DETECT)
    assert rig.installs() == 0


@pytest.mark.behaviour("B-36")
@pytest.mark.parametrize("rule", [INVALID, UNREADABLE])
def test_a_requirement_that_cannot_be_queried_is_an_error_of_its_phase(rig: Rig, rule: FileRule) -> None:
    report = _reported(rig, requirements=_requiring(rule))
    assert report.outcome is Outcome.FAILED
    assert report.error is not None
    assert (report.error.number, report.error.phase) == (0x87D30000, Phase.REQUIREMENTS)
    assert rig.installs() == 0


@pytest.mark.behaviour("B-37")
@pytest.mark.parametrize(
    ("rule", "number"),
    [
        (ABSENT, Applicability.FILE_RULE_NOT_MET),
        (ScriptRule(script_content="exit 1"), Applicability.SCRIPT_RULE_NOT_MET),
        (
            ScriptRule(
                script_content="echo many",
                operation_type=ScriptOutput.INTEGER,
                operator=Operator.EQUAL,
                comparison_value="1",
            ),
            Applicability.REQUIREMENTS_NOT_MET,
        ),
        (ProcessRule(process_name="no-such-program"), Applicability.REQUIREMENTS_NOT_MET),
    ],
)
def test_an_unmet_rule_is_reported_with_its_number_and_what_was_compared(
    rig: Rig, rule: Rule, number: Applicability
) -> None:
    report = _reported(rig, requirements=_requiring(rule))
    assert report.outcome is Outcome.REQUIREMENTS_NOT_MET
    assert report.applicability is number
    assert ", expected " in report.phases[4].summary
    assert rig.source.asked_from == []


@NO_REGISTRY_HERE
@pytest.mark.behaviour("2.5 Applicability 3")
@pytest.mark.parametrize("place", ["detection_rules", "requirements"])
def test_a_rule_this_platform_cannot_answer_makes_the_app_not_applicable(rig: Rig, place: str) -> None:
    report = _reported(rig, **{place: (REGISTRY,) if place == "detection_rules" else _requiring(REGISTRY)})
    assert report.outcome is Outcome.NOT_APPLICABLE
    assert report.applicability is Applicability.HOST_PLATFORM_NOT_APPLICABLE
    assert any("registry" in record.summary for record in report.phases)
    assert rig.installs() == 0


def test_an_uninstall_asks_for_no_requirements(rig: Rig) -> None:
    (rig.target / "editor").touch()
    report = _reported(rig, intent=Intent.UNINSTALL, requirements=_requiring(INVALID, ABSENT))
    assert report.outcome is Outcome.UNINSTALLED


@pytest.mark.skipif(sys.platform == "win32", reason="on Windows this agent runs nothing in a user's name")
@pytest.mark.parametrize("place", ["detection_rules", "requirements"])
def test_a_script_of_the_users_waits_until_somebody_is_logged_on(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    rule = ScriptRule(script_content="echo found", run_as_account=RunAsAccount.USER)
    users: list[LoggedOnUser] = []
    for module in (user_wait, machine):
        monkeypatch.setattr(module, "logged_on_user", lambda _: next(iter(users), None))
    job = rig.new_job(**{place: (rule,) if place == "detection_rules" else _requiring(rule)})
    waited_at, handover = rig.run(job)[-1]
    assert waited_at is (Phase.DETECT if place == "detection_rules" else Phase.REQUIREMENTS)
    assert handover.retry_in_seconds == NO_USER_WAIT_SECONDS
    assert rig.uplink.reports == []
    own = account_of(own_account_name())
    assert own is not None
    users.append(LoggedOnUser(own))
    rig.clock.advance(timedelta(seconds=NO_USER_WAIT_SECONDS))
    went_on = rig.engine.run(waited_at, job, turn=1)
    assert went_on.go_on_at is (Phase.COMPLIANCE if waited_at is Phase.DETECT else Phase.DOWNLOAD)
