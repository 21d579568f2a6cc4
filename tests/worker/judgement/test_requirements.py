from pathlib import Path

import pytest

from contract.error_codes import ErrorCode
from contract.errors import PhaseError
from contract.rules import (
    FileOperation,
    FileRule,
    Operator,
    PackageRule,
    ProcessRule,
    ProductCodeRule,
    RegistryRule,
    Rule,
    ScriptOutput,
    ScriptRule,
)
from contract.states import Applicability
from worker.judgement.applicability import Unmet
from worker.judgement.machine import Machine
from worker.judgement.requirements import first_unmet_rule
from worker.platform.memory import Contents


def _script(content: str, kind: ScriptOutput, value: str, how: Operator = Operator.EQUAL) -> ScriptRule:
    return ScriptRule(script_content=content, operation_type=kind, operator=how, comparison_value=value)


FILE = FileRule(path="/nowhere", file_or_folder_name="licence")
REGISTRY = RegistryRule(key_path=r"HKLM\SOFTWARE\Editor", value_name="Level")


def test_rules_that_hold_leave_nothing_unmet(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "licence").touch()
    rules = (
        FileRule(path=str(tmp_path), file_or_folder_name="licence"),
        _script("echo 7", ScriptOutput.INTEGER, "7"),
    )
    assert first_unmet_rule(rules, machine) is None
    assert first_unmet_rule((), machine) is None


@pytest.mark.behaviour("B-34", "B-37")
@pytest.mark.parametrize(
    ("rule", "number", "words"),
    [
        pytest.param(rule, number, words, marks=pytest.mark.behaviour(f"2.5 Applicability {number}"))
        for rule, number, words in (
            (FILE, 1006, "/nowhere/licence: not there, expected there"),
            (REGISTRY, 1007, r"HKLM\SOFTWARE\Editor Level: not there, expected there"),
            (_script("echo 8", ScriptOutput.INTEGER, "7"), 1008, "script: output '8', expected equal 7"),
            (_script("echo eight", ScriptOutput.INTEGER, "7"), 1, "script: output 'eight', expected integer, equal 7"),
            (PackageRule(package_name="editor"), 1, "package editor: not there, expected there"),
            (ProcessRule(process_name="editor"), 1, "process editor: not running, expected running"),
        )
    ],
)
def test_each_unmet_rule_has_its_number_and_the_compared_values(
    made_up: Machine, rule: Rule, number: int, words: str
) -> None:
    assert first_unmet_rule((rule,), made_up) == Unmet(Applicability(number), words)


def test_a_product_that_must_be_there_is_a_requirement_like_any(made_up: Machine) -> None:
    rule = ProductCodeRule(product_code="{23170F69-40C1-2702-2301-000001000000}")
    unmet = first_unmet_rule((rule,), made_up)
    assert unmet is not None
    assert unmet.number is Applicability.REQUIREMENTS_NOT_MET


@pytest.mark.behaviour("2.8 requirement script")
@pytest.mark.parametrize(
    ("kind", "content", "how", "value", "met"),
    [
        (ScriptOutput.STRING, "echo Ready", Operator.EQUAL, "READY", True),
        (ScriptOutput.INTEGER, "echo 10", Operator.GREATER_THAN, "9", True),
        (ScriptOutput.FLOAT, "echo 0.5", Operator.LESS_THAN, "0.25", False),
        (ScriptOutput.VERSION, "echo 1.10", Operator.GREATER_THAN_OR_EQUAL, "1.9", True),
        (ScriptOutput.BOOLEAN, "echo True", Operator.NOT_EQUAL, "false", True),
        (ScriptOutput.DATE_TIME, "echo 2026-01-01", Operator.LESS_THAN_OR_EQUAL, "2025-12-31", False),
    ],
)
def test_a_script_is_run_and_its_output_compared_as_its_type(
    machine: Machine, kind: ScriptOutput, content: str, how: Operator, value: str, met: bool
) -> None:
    assert (first_unmet_rule((_script(content, kind, value, how),), machine) is None) is met


@pytest.mark.behaviour("2.5 Applicability 3")
def test_a_rule_this_platform_cannot_answer_makes_the_app_not_applicable_before_all_others(
    made_up: Machine, contents: Contents
) -> None:
    contents.unanswerable["registry"] = "there is no registry"
    assert first_unmet_rule((FILE, REGISTRY), made_up) == Unmet(
        Applicability.HOST_PLATFORM_NOT_APPLICABLE, "there is no registry"
    )


def test_the_first_unmet_rule_is_named(machine: Machine) -> None:
    unmet = first_unmet_rule((_script("echo 8", ScriptOutput.INTEGER, "7"), FILE), machine)
    assert unmet is not None
    assert unmet.number is Applicability.SCRIPT_RULE_NOT_MET


@pytest.mark.behaviour("B-36")
def test_a_requirement_that_cannot_be_queried_is_an_error_of_its_own_number(
    made_up: Machine, contents: Contents
) -> None:
    contents.broken = PermissionError(13, "Access is denied")
    with pytest.raises(PhaseError, match=r"requirement rule 1 \(registry\)") as caught:
        first_unmet_rule((REGISTRY,), made_up)
    assert caught.value.code is ErrorCode.RULE_EVALUATION_FAILED
    assert caught.value.number == 0x87D30000


@pytest.mark.behaviour("B-36")
@pytest.mark.parametrize(
    "broken",
    [
        FILE.model_copy(update={"operation_type": FileOperation.SIZE_IN_MB}),
        _script("echo 7", ScriptOutput.INTEGER, "seven"),
    ],
)
def test_a_requirement_that_makes_no_sense_is_an_error_even_behind_one_that_is_not_met(
    machine: Machine, broken: Rule
) -> None:
    with pytest.raises(PhaseError, match="requirement rule 2") as caught:
        first_unmet_rule((FILE, broken), machine)
    assert caught.value.code is ErrorCode.RULE_EVALUATION_FAILED
