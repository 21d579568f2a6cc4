import sys

import psutil
import pytest

from contract.rules import ProcessOperation, ProcessRule
from worker.judgement.machine import Machine
from worker.judgement.process_rule import judge_process, judge_process_names
from worker.judgement.verdict import CannotTellError
from worker.platform.memory import Contents

NOT_RUNNING = ProcessOperation.DOES_NOT_EXIST


@pytest.mark.behaviour("C-21")
@pytest.mark.parametrize(
    ("wanted", "name", "runs"),
    [
        ("editor", "editor", True),
        ("Editor.exe", "editor.EXE", True),
        ("editor", "Editor.exe", True),
        ("editor", "editord", False),
        ("editor", "my-editor", False),
    ],
)
def test_a_process_is_known_by_its_name_in_any_case_with_or_without_exe(wanted: str, name: str, runs: bool) -> None:
    assert judge_process_names(ProcessRule(process_name=wanted), {"init", name}).holds is runs
    absent = ProcessRule(process_name=wanted, operation_type=NOT_RUNNING)
    assert judge_process_names(absent, {"init", name}).holds is not runs


def test_the_words_say_what_was_found() -> None:
    verdict = judge_process_names(ProcessRule(process_name="editor"), {"init"})
    assert verdict.words == "process editor: not running, expected running"


@pytest.mark.behaviour("C-21")
def test_this_very_process_runs(machine: Machine) -> None:
    assert judge_process(ProcessRule(process_name=psutil.Process().name()), machine.platform).holds
    assert not judge_process(ProcessRule(process_name=f"no-{sys.version}"), machine.platform).holds


def test_a_system_that_does_not_list_its_processes_is_no_answer(made_up: Machine, contents: Contents) -> None:
    contents.broken = PermissionError(13, "Permission denied")
    with pytest.raises(CannotTellError, match="denied"):
        judge_process(ProcessRule(process_name="editor"), made_up.platform)
