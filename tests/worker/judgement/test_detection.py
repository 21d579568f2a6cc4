import sys
from pathlib import Path

import pytest

from contract.error_codes import ErrorCode
from contract.errors import PhaseError
from contract.rules import (
    FileOperation,
    FileRule,
    Operator,
    PackageManager,
    PackageRule,
    ProcessRule,
    ProductCodeRule,
    RegistryRule,
    Rule,
    ScriptRule,
)
from contract.states import DetectionState
from worker.judgement.detection import detect
from worker.judgement.machine import Machine
from worker.platform.memory import Contents
from worker.platform.port import Hive, PackageFacts, RegistryKey

CODE = "{23170F69-40C1-2702-2301-000001000000}"
BROKEN = FileRule(path="/", file_or_folder_name="x", operation_type=FileOperation.SIZE_IN_MB)


def _file(folder: Path, name: str) -> FileRule:
    return FileRule(path=str(folder), file_or_folder_name=name)


@pytest.mark.behaviour("2.8 all detection rules", "B-32")
def test_all_rules_must_hold(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert detect((_file(tmp_path, "a"),), machine).state is DetectionState.DETECTED
    both = detect((_file(tmp_path, "a"), _file(tmp_path, "b")), machine)
    assert both.state is DetectionState.NOT_DETECTED
    assert f"{tmp_path / 'b'}: not there" in both.words


@pytest.mark.behaviour("B-32")
def test_every_type_of_rule_can_detect(made_up: Machine, contents: Contents, tmp_path: Path) -> None:
    rules: tuple[Rule, ...] = (
        _file(tmp_path, "scripts"),
        RegistryRule(key_path=r"HKLM\SOFTWARE\Editor", value_name="Level"),
        ProductCodeRule(product_code=CODE),
        PackageRule(package_name="editor"),
        ProcessRule(process_name="editor"),
        ScriptRule(script_content="echo found"),
    )
    assert all(detect((rule,), made_up).state is DetectionState.NOT_DETECTED for rule in rules[1:5])
    contents.registry[RegistryKey(Hive.LOCAL_MACHINE, r"SOFTWARE\Editor")] = {"Level": 1}
    contents.products[CODE] = "1.0"
    contents.packages["editor"] = (PackageFacts(PackageManager.DPKG, "1.0"),)
    contents.processes = frozenset({"editor"})
    assert detect(rules, made_up).state is DetectionState.DETECTED


@pytest.mark.behaviour("2.8 file doesNotExist")
def test_a_file_that_must_not_be_there_detects_unlike_in_the_original(machine: Machine, tmp_path: Path) -> None:
    gone = _file(tmp_path, "old").model_copy(update={"operation_type": FileOperation.DOES_NOT_EXIST})
    assert detect((gone,), machine).state is DetectionState.DETECTED
    (tmp_path / "old").touch()
    assert detect((gone,), machine).state is DetectionState.NOT_DETECTED


@pytest.mark.behaviour("2.8 script detection")
def test_a_script_decides_by_what_it_really_prints(machine: Machine) -> None:
    assert detect((ScriptRule(script_content="echo found"),), machine).state is DetectionState.DETECTED
    assert detect((ScriptRule(script_content="true"),), machine).state is DetectionState.NOT_DETECTED
    assert detect((ScriptRule(script_content="echo found; exit 3"),), machine).state is DetectionState.NOT_DETECTED
    noisy = ScriptRule(script_content="echo found; echo odd >&2")
    assert detect((noisy,), machine).state is DetectionState.NOT_DETECTED


def test_a_script_names_its_own_interpreter(machine: Machine) -> None:
    rule = ScriptRule(script_content="print('found')", interpreter=("python3", "-I"))
    assert detect((rule,), machine).state is DetectionState.DETECTED


@pytest.mark.behaviour("2.8 script 32-bit")
def test_a_script_runs_with_the_32_bit_interpreter_only_where_it_asks(made_up: Machine) -> None:
    content = 'test "$BITS" = 32 && echo found'
    assert detect((ScriptRule(script_content=content, run_as32_bit=True),), made_up).state is DetectionState.DETECTED
    assert detect((ScriptRule(script_content=content),), made_up).state is DetectionState.NOT_DETECTED


@pytest.mark.behaviour("2.8 script signature")
def test_an_unsigned_script_is_an_error_where_the_original_would_install(
    made_up: Machine, contents: Contents, tmp_path: Path
) -> None:
    mark = tmp_path / "ran"
    rule = ScriptRule(script_content=f"touch {mark}; echo found", enforce_signature_check=True)
    contents.untrusted = "it is not signed"
    with pytest.raises(PhaseError, match="it is not signed") as caught:
        detect((rule,), made_up)
    assert caught.value.code is ErrorCode.RULE_EVALUATION_FAILED
    assert not mark.exists()
    contents.untrusted = ""
    assert detect((rule,), made_up).state is DetectionState.DETECTED


@pytest.mark.parametrize(
    "rule",
    [
        RegistryRule(key_path=r"HKLM\SOFTWARE\Editor"),
        ProductCodeRule(product_code=CODE),
        FileRule(path="/opt", file_or_folder_name="editor", operation_type="version", operator="equal"),
        ScriptRule(script_content="Write-Host x", interpreter=("no-such-shell",)),
        ScriptRule(script_content="echo x", enforce_signature_check=True),
        ScriptRule(script_content="echo x", run_as32_bit=True),
    ],
)
def test_a_rule_this_platform_cannot_answer_is_neither_yes_nor_no(machine: Machine, rule: Rule) -> None:
    detection = detect((rule,), machine)
    assert not detection.answerable
    assert detection.state is DetectionState.UNKNOWN
    assert detection.words


def test_a_rule_that_cannot_be_answered_counts_before_one_that_does_not_hold(machine: Machine, tmp_path: Path) -> None:
    rules = (_file(tmp_path, "missing"), RegistryRule(key_path=r"HKLM\SOFTWARE\Editor"))
    assert not detect(rules, machine).answerable


@pytest.mark.behaviour("B-35", "B-36")
def test_a_rule_that_cannot_be_evaluated_is_an_error_never_not_detected(machine: Machine) -> None:
    rule = ScriptRule(script_content="sleep 60", time_limit_seconds=0.2)
    with pytest.raises(PhaseError, match=r"detection rule 1 \(script\)") as caught:
        detect((rule,), machine)
    assert caught.value.code is ErrorCode.RULE_EVALUATION_FAILED
    assert caught.value.number == 0x87D30000


@pytest.mark.behaviour("B-35", "2.5 invalid detection rule 0x87D30004")
@pytest.mark.parametrize(
    "broken",
    [
        BROKEN,
        RegistryRule(key_path="SOFTWARE"),
        ProductCodeRule(product_code="editor"),
        PackageRule(package_name="editor", operation_type="version", operator=Operator.EQUAL),
    ],
)
def test_a_rule_that_makes_no_sense_is_an_error_even_behind_one_that_does_not_hold(
    made_up: Machine, tmp_path: Path, broken: Rule
) -> None:
    with pytest.raises(PhaseError, match="detection rule 2") as caught:
        detect((_file(tmp_path, "missing"), broken), made_up)
    assert caught.value.code is ErrorCode.DETECTION_RULE_INVALID
    assert caught.value.number == 0x87D30004


def test_the_rules_after_one_that_does_not_hold_are_not_asked(machine: Machine, tmp_path: Path) -> None:
    script = ScriptRule(script_content=f"touch {tmp_path / 'asked'}; echo found")
    detect((_file(tmp_path, "missing"), script), machine)
    assert not (tmp_path / "asked").exists()


@pytest.mark.behaviour("2.8 script time limit")
def test_a_script_may_run_for_an_hour_unless_the_rule_says_otherwise() -> None:
    assert ScriptRule(script_content="x").time_limit_seconds == 60 * 60


@pytest.mark.behaviour("2.8 script encoding")
@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for PowerShell is a shell script")
def test_powershell_gets_a_script_it_does_not_take_for_ansi(machine: Machine, tmp_path: Path) -> None:
    stand_in = tmp_path / "pwsh"
    stand_in.write_text('#!/bin/sh\nhead -c 3 "$1" | od -An -tx1; basename "$1"\n', encoding="utf-8")
    stand_in.chmod(0o755)
    rule = ScriptRule(script_content="Write-Host 'gefunden: \u00fc'", interpreter=(str(stand_in),))
    words = detect((rule,), machine).words
    assert "ef bb bf" in words
    assert "script.ps1" in words


@pytest.mark.behaviour("2.8 script file deleted")
def test_scripts_leave_nothing_behind(machine: Machine) -> None:
    detect((ScriptRule(script_content="echo found; touch litter"),), machine)
    assert list(machine.scripts.iterdir()) == []
