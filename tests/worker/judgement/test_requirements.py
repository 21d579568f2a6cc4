from pathlib import Path

from contract.rules import FileRule, Operator, RegistryRule, ScriptOutput, ScriptRule
from contract.states import Applicability
from worker.judgement.machine import Machine
from worker.judgement.requirements import first_unmet_rule


def _script(content: str, kind: ScriptOutput, value: str) -> ScriptRule:
    return ScriptRule(script_content=content, operation_type=kind, operator=Operator.EQUAL, comparison_value=value)


def test_rules_that_hold_leave_nothing_unmet(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "licence").touch()
    rules = (
        FileRule(path=str(tmp_path), file_or_folder_name="licence"),
        _script("echo 7", ScriptOutput.INTEGER, "7"),
    )
    assert first_unmet_rule(rules, machine) is None
    assert first_unmet_rule((), machine) is None


def test_each_kind_of_rule_has_its_number(machine: Machine, tmp_path: Path) -> None:
    file = FileRule(path=str(tmp_path), file_or_folder_name="licence")
    script = _script("echo 8", ScriptOutput.INTEGER, "7")
    unmet_file, unmet_script = first_unmet_rule((file,), machine), first_unmet_rule((script,), machine)
    assert unmet_file is not None
    assert unmet_file.number is Applicability.FILE_RULE_NOT_MET
    assert unmet_script is not None
    assert unmet_script.number is Applicability.SCRIPT_RULE_NOT_MET
    assert unmet_script.words == "script: printed '8', expected equal '7'"


def test_output_of_the_wrong_type_is_a_requirement_not_met(machine: Machine) -> None:
    unmet = first_unmet_rule((_script("echo eight", ScriptOutput.INTEGER, "7"),), machine)
    assert unmet is not None
    assert unmet.number is Applicability.REQUIREMENTS_NOT_MET


def test_a_rule_this_platform_cannot_answer_makes_the_app_not_applicable(machine: Machine) -> None:
    unmet = first_unmet_rule((RegistryRule(key_path=r"HKLM\SOFTWARE\Editor"),), machine)
    assert unmet is not None
    assert unmet.number is Applicability.HOST_PLATFORM_NOT_APPLICABLE


def test_the_first_unmet_rule_is_named(machine: Machine, tmp_path: Path) -> None:
    rules = (_script("echo 8", ScriptOutput.INTEGER, "7"), FileRule(path=str(tmp_path), file_or_folder_name="x"))
    unmet = first_unmet_rule(rules, machine)
    assert unmet is not None
    assert unmet.number is Applicability.SCRIPT_RULE_NOT_MET
