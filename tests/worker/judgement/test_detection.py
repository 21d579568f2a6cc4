from pathlib import Path

import pytest

from contract.error_codes import ErrorCode
from contract.errors import PhaseError
from contract.rules import FileRule, ProductCodeRule, RegistryRule, Rule, ScriptRule
from contract.states import DetectionState
from worker.judgement.detection import detect
from worker.judgement.machine import Machine


def _file(folder: Path, name: str) -> FileRule:
    return FileRule(path=str(folder), file_or_folder_name=name)


def test_all_rules_must_hold(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert detect((_file(tmp_path, "a"),), machine).state is DetectionState.DETECTED
    both = detect((_file(tmp_path, "a"), _file(tmp_path, "b")), machine)
    assert both.state is DetectionState.NOT_DETECTED
    assert f"{tmp_path}/b: not there" in both.words


def test_a_script_decides_by_what_it_really_prints(machine: Machine) -> None:
    assert detect((ScriptRule(script_content="echo found"),), machine).state is DetectionState.DETECTED
    assert detect((ScriptRule(script_content="true"),), machine).state is DetectionState.NOT_DETECTED
    assert detect((ScriptRule(script_content="echo found; exit 3"),), machine).state is DetectionState.NOT_DETECTED
    noisy = ScriptRule(script_content="echo found; echo odd >&2")
    assert detect((noisy,), machine).state is DetectionState.NOT_DETECTED


def test_a_script_names_its_own_interpreter(machine: Machine) -> None:
    rule = ScriptRule(script_content="print('found')", interpreter=("python3", "-I"))
    assert detect((rule,), machine).state is DetectionState.DETECTED


@pytest.mark.parametrize(
    "rule",
    [
        RegistryRule(key_path=r"HKLM\SOFTWARE\Editor"),
        ProductCodeRule(product_code="{23170F69-40C1-2702-2301-000001000000}"),
        FileRule(path="/opt", file_or_folder_name="editor", operation_type="version", operator="equal"),
        ScriptRule(script_content="Write-Host x", interpreter=("no-such-shell",)),
        ScriptRule(script_content="echo x", enforce_signature_check=True),
    ],
)
def test_a_rule_this_platform_cannot_answer_is_neither_yes_nor_no(machine: Machine, rule: Rule) -> None:
    detection = detect((rule,), machine)
    assert not detection.answerable
    assert detection.state is DetectionState.UNKNOWN
    assert detection.words


def test_a_rule_that_cannot_be_evaluated_is_an_error_never_not_detected(machine: Machine) -> None:
    rule = ScriptRule(script_content="sleep 60", time_limit_seconds=0.2)
    with pytest.raises(PhaseError) as caught:
        detect((rule,), machine)
    assert caught.value.code is ErrorCode.RULE_EVALUATION_FAILED
    assert caught.value.number == 0x87D30000


def test_scripts_leave_nothing_behind(machine: Machine) -> None:
    detect((ScriptRule(script_content="echo found; touch litter"),), machine)
    assert list(machine.scripts.iterdir()) == []
