from pathlib import Path

import pytest

from contract.error_codes import ErrorCode
from contract.policy import Requirements
from contract.rules import FileOperation, FileRule, RegistryRule, Rule, RunAsAccount, ScriptRule
from worker.judgement.applicability import Candidate
from worker.judgement.machine import Machine
from worker.judgement.review import Answer, Conclusion, Review, Reviewer
from worker.platform.memory import Contents

ABSENT = FileRule(path="/nowhere", file_or_folder_name="editor")
INVALID = ABSENT.model_copy(update={"operation_type": FileOperation.SIZE_IN_MB})
REGISTRY = RegistryRule(key_path="HKLM")
SCRIPT = ScriptRule(script_content="echo found")


@pytest.fixture
def there(tmp_path: Path) -> FileRule:
    (tmp_path / "editor").touch()
    return FileRule(path=str(tmp_path), file_or_folder_name="editor")


def _review(
    machine: Machine, *detection: Rule, rules: tuple[Rule, ...] = (), scripts: bool = True, **required: object
) -> Review:
    candidate = Candidate(machine.platform.facts(), None)
    reviewer = Reviewer(machine, candidate, runs_scripts=scripts)
    return reviewer.review(detection, Requirements(rules=rules, **required), RunAsAccount.SYSTEM)


def test_every_rule_is_asked_unlike_in_a_job(made_up: Machine, contents: Contents, there: FileRule) -> None:
    contents.unanswerable["registry"] = "there is no registry"
    review = _review(made_up, ABSENT, there, REGISTRY, INVALID, SCRIPT, rules=(SCRIPT, ABSENT))
    assert [one.answer for one in review.detection] == [
        Answer.DOES_NOT_HOLD,
        Answer.HOLDS,
        Answer.UNANSWERABLE,
        Answer.FAILED,
        Answer.HOLDS,
    ]
    assert [one.answer for one in review.requirements] == [Answer.HOLDS, Answer.DOES_NOT_HOLD]
    assert [one.number for one in review.requirements] == [None, 1006]
    error = review.detection[3].error
    assert error is not None
    assert error.code is ErrorCode.DETECTION_RULE_INVALID


def test_base_requirements_are_shown_met_or_not(made_up: Machine) -> None:
    review = _review(made_up, ABSENT, minimum_memory_in_mb=1, minimum_cpu_speed_in_mhz=1)
    assert [one.answer for one in review.requirements] == [Answer.HOLDS, Answer.DOES_NOT_HOLD]
    assert [one.number for one in review.requirements] == [None, 3]


def test_a_base_requirement_that_cannot_be_compared_is_an_answer_among_others(made_up: Machine) -> None:
    review = _review(made_up, ABSENT, rules=(SCRIPT,), minimum_os_release="bookworm")
    assert [one.answer for one in review.requirements] == [Answer.FAILED, Answer.HOLDS]
    assert review.conclusion is Conclusion.FAILED


def test_scripts_that_are_not_to_run_do_not(made_up: Machine, tmp_path: Path) -> None:
    script = ScriptRule(script_content=f"touch {tmp_path / 'ran'}")
    review = _review(made_up, script, scripts=False)
    assert review.detection[0].answer is Answer.SKIPPED
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("detection", "requirement", "expected"),
    [
        (("there", "there"), "absent", Conclusion.DETECTED),
        (("there", "absent"), "there", Conclusion.NOT_DETECTED),
        (("there", "absent"), "absent", Conclusion.NOT_APPLICABLE),
        (("there", "absent"), "registry", Conclusion.NOT_APPLICABLE),
        (("there", "absent"), "invalid", Conclusion.FAILED),
        (("there", "absent"), "script", Conclusion.UNDECIDED),
        (("there", "registry"), "there", Conclusion.NOT_APPLICABLE),
        (("absent", "invalid"), "there", Conclusion.FAILED),
        (("there", "script"), "there", Conclusion.UNDECIDED),
        (("absent", "script"), "there", Conclusion.NOT_DETECTED),
    ],
)
def test_what_all_rules_say_together(
    made_up: Machine,
    contents: Contents,
    there: FileRule,
    detection: tuple[str, ...],
    requirement: str,
    expected: Conclusion,
) -> None:
    contents.unanswerable["registry"] = "there is no registry"
    rules: dict[str, Rule] = {
        "there": there,
        "absent": ABSENT,
        "registry": REGISTRY,
        "invalid": INVALID,
        "script": SCRIPT,
    }
    named = [rules[name] for name in detection]
    review = _review(made_up, *named, rules=(rules[requirement],), scripts=False)
    assert review.conclusion is expected
