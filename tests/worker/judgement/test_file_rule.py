import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contract.error_codes import ErrorCode
from contract.errors import PhaseError
from contract.rules import FileOperation, FileRule, Operator
from worker.judgement.file_rule import judge_file, judge_file_facts
from worker.judgement.machine import Machine
from worker.platform.port import FileFacts

MOMENT = datetime(2026, 1, 31, 12, 0, 0, 500_000, tzinfo=UTC)
FILE = FileFacts(size=5 * 1024 * 1024 + 1, modified_at=MOMENT, created_at=MOMENT)
FOLDER = FileFacts(size=None, modified_at=MOMENT, created_at=None)
PATH = Path("/opt/editor")


def _rule(operation: FileOperation, how: Operator = Operator.NOT_CONFIGURED, value: str | None = None) -> FileRule:
    return FileRule(
        path="/opt", file_or_folder_name="editor", operation_type=operation, operator=how, comparison_value=value
    )


def test_exists_and_does_not_exist_answer_both_ways() -> None:
    assert judge_file_facts(_rule(FileOperation.EXISTS), PATH, FILE).holds
    assert judge_file_facts(_rule(FileOperation.EXISTS), PATH, FOLDER).holds
    assert not judge_file_facts(_rule(FileOperation.EXISTS), PATH, None).holds
    assert judge_file_facts(_rule(FileOperation.DOES_NOT_EXIST), PATH, None).holds
    assert not judge_file_facts(_rule(FileOperation.DOES_NOT_EXIST), PATH, FILE).holds


@pytest.mark.parametrize(
    ("how", "value", "expected"),
    [
        (Operator.EQUAL, "5", True),
        (Operator.GREATER_THAN, "5", False),
        (Operator.GREATER_THAN_OR_EQUAL, "5", True),
        (Operator.LESS_THAN, "6", True),
    ],
)
def test_sizes_are_whole_mebibytes_rounded_down(how: Operator, value: str, expected: bool) -> None:
    assert judge_file_facts(_rule(FileOperation.SIZE_IN_MB, how, value), PATH, FILE).holds is expected


def test_dates_are_compared_to_the_second() -> None:
    rule = _rule(FileOperation.MODIFIED_DATE, Operator.EQUAL, "2026-01-31T12:00:00Z")
    assert judge_file_facts(rule, PATH, FILE).holds
    rule = _rule(FileOperation.CREATED_DATE, Operator.LESS_THAN, "2026-02-01")
    assert judge_file_facts(rule, PATH, FILE).holds


def test_a_missing_file_has_no_date_and_no_size_and_does_not_hold() -> None:
    assert not judge_file_facts(_rule(FileOperation.SIZE_IN_MB, Operator.LESS_THAN, "9"), PATH, None).holds


@pytest.mark.parametrize(
    ("rule", "facts"),
    [
        (_rule(FileOperation.SIZE_IN_MB, Operator.EQUAL, "five"), FILE),
        (_rule(FileOperation.SIZE_IN_MB, Operator.EQUAL, None), FILE),
        (_rule(FileOperation.SIZE_IN_MB, Operator.NOT_CONFIGURED, "5"), FILE),
        (_rule(FileOperation.SIZE_IN_MB, Operator.EQUAL, "5"), FOLDER),
        (_rule(FileOperation.CREATED_DATE, Operator.EQUAL, "2026-01-31"), FOLDER),
        (_rule(FileOperation.MODIFIED_DATE, Operator.EQUAL, "last week"), FILE),
    ],
)
def test_a_rule_that_makes_no_sense_is_not_evaluated(rule: FileRule, facts: FileFacts) -> None:
    with pytest.raises(PhaseError) as caught:
        judge_file_facts(rule, PATH, facts)
    assert caught.value.code is ErrorCode.RULE_EVALUATION_FAILED


def test_the_words_say_what_was_compared_with_what() -> None:
    verdict = judge_file_facts(_rule(FileOperation.SIZE_IN_MB, Operator.GREATER_THAN, "9"), PATH, FILE)
    assert verdict.words == "/opt/editor: sizeInMB 5, expected greaterThan 9"


def test_a_real_file_is_read(machine: Machine, tmp_path: Path) -> None:
    file = tmp_path / "editor"
    file.write_bytes(bytes(2 * 1024 * 1024))
    os.utime(file, (MOMENT.timestamp(), MOMENT.timestamp()))
    facts: dict[str, Any] = {"path": str(tmp_path), "file_or_folder_name": "editor"}
    size = FileRule(**facts, operation_type="sizeInMB", operator="equal", comparison_value="2")
    date = FileRule(**facts, operation_type="modifiedDate", operator="equal", comparison_value="2026-01-31T12:00:00")
    assert judge_file(size, machine.platform).holds
    assert judge_file(date, machine.platform).holds


def test_environment_variables_in_paths_are_expanded(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR_HOME", str(tmp_path))
    (tmp_path / "editor").touch()
    assert judge_file(FileRule(path="%EDITOR_HOME%", file_or_folder_name="editor"), machine.platform).holds


def test_a_variable_that_is_not_set_is_an_error_not_an_absent_file(machine: Machine) -> None:
    with pytest.raises(PhaseError, match="NO_SUCH_VARIABLE"):
        judge_file(FileRule(path="%NO_SUCH_VARIABLE%", file_or_folder_name="editor"), machine.platform)


def test_a_path_that_cannot_be_looked_at_is_an_error_not_an_absent_file(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(PhaseError) as caught:
        judge_file(FileRule(path=str(tmp_path), file_or_folder_name="loop"), machine.platform)
    assert caught.value.code is ErrorCode.RULE_EVALUATION_FAILED


def test_a_file_where_a_folder_should_be_is_an_absent_file(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    rule = FileRule(path=str(tmp_path / "file"), file_or_folder_name="editor")
    assert not judge_file(rule, machine.platform).holds
