import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contract.rules import FileOperation, FileRule, Operator
from worker.judgement.file_rule import check_file, judge_file, judge_file_facts
from worker.judgement.machine import Machine
from worker.judgement.verdict import CannotTellError, RuleInvalidError
from worker.platform.port import FileFacts

MOMENT = datetime(2026, 1, 31, 12, 0, 0, 500_000, tzinfo=UTC)
FILE = FileFacts(size=5 * 1024 * 1024 + 1, modified_at=MOMENT, created_at=MOMENT, version="10.0.1.0")
FOLDER = FileFacts(size=None, modified_at=MOMENT, created_at=None)
PATH = Path("/opt/editor")


def _rule(operation: FileOperation, how: Operator = Operator.NOT_CONFIGURED, value: str | None = None) -> FileRule:
    return FileRule(
        path="/opt", file_or_folder_name="editor", operation_type=operation, operator=how, comparison_value=value
    )


@pytest.mark.behaviour("2.8 file exists", "2.8 file doesNotExist", "B-32")
def test_exists_and_does_not_exist_answer_both_ways() -> None:
    assert judge_file_facts(_rule(FileOperation.EXISTS), PATH, FILE).holds
    assert judge_file_facts(_rule(FileOperation.EXISTS), PATH, FOLDER).holds
    assert not judge_file_facts(_rule(FileOperation.EXISTS), PATH, None).holds
    assert judge_file_facts(_rule(FileOperation.DOES_NOT_EXIST), PATH, None).holds
    assert not judge_file_facts(_rule(FileOperation.DOES_NOT_EXIST), PATH, FILE).holds


@pytest.mark.behaviour("2.8 file size")
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


@pytest.mark.behaviour("2.8 file date")
def test_dates_are_compared_to_the_second() -> None:
    rule = _rule(FileOperation.MODIFIED_DATE, Operator.EQUAL, "2026-01-31T12:00:00Z")
    assert judge_file_facts(rule, PATH, FILE).holds
    rule = _rule(FileOperation.CREATED_DATE, Operator.LESS_THAN, "2026-02-01")
    assert judge_file_facts(rule, PATH, FILE).holds


@pytest.mark.behaviour("2.8 file version")
def test_versions_are_compared_as_numbers() -> None:
    assert judge_file_facts(_rule(FileOperation.VERSION, Operator.GREATER_THAN, "9.9"), PATH, FILE).holds
    assert judge_file_facts(_rule(FileOperation.VERSION, Operator.EQUAL, "10.0.1"), PATH, FILE).holds


@pytest.mark.parametrize("operation", [FileOperation.SIZE_IN_MB, FileOperation.MODIFIED_DATE, FileOperation.VERSION])
def test_a_missing_file_has_no_date_size_or_version_and_does_not_hold(operation: FileOperation) -> None:
    verdict = judge_file_facts(_rule(operation, Operator.NOT_EQUAL, "9"), PATH, None)
    assert not verdict.holds
    assert verdict.words == f"/opt/editor: not there, expected {operation} notEqual 9"


@pytest.mark.parametrize(
    "rule",
    [
        _rule(FileOperation.SIZE_IN_MB, Operator.EQUAL, "five"),
        _rule(FileOperation.SIZE_IN_MB, Operator.EQUAL, None),
        _rule(FileOperation.SIZE_IN_MB, Operator.NOT_CONFIGURED, "5"),
        _rule(FileOperation.MODIFIED_DATE, Operator.EQUAL, "last week"),
        _rule(FileOperation.VERSION, Operator.EQUAL, "new"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: FileRule) -> None:
    with pytest.raises(RuleInvalidError):
        check_file(rule)


@pytest.mark.parametrize(
    "rule",
    [
        _rule(FileOperation.SIZE_IN_MB, Operator.EQUAL, "5"),
        _rule(FileOperation.CREATED_DATE, Operator.EQUAL, "2026-01-31"),
        _rule(FileOperation.VERSION, Operator.EQUAL, "1"),
    ],
)
def test_what_has_not_what_the_rule_compares_is_no_answer(rule: FileRule) -> None:
    with pytest.raises(CannotTellError, match="it has no"):
        judge_file_facts(rule, PATH, FOLDER)


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


def test_a_variable_that_is_not_set_is_no_answer_not_an_absent_file(machine: Machine) -> None:
    with pytest.raises(CannotTellError, match="NO_SUCH_VARIABLE"):
        judge_file(FileRule(path="%NO_SUCH_VARIABLE%", file_or_folder_name="editor"), machine.platform)


def test_a_path_that_cannot_be_looked_at_is_no_answer_not_an_absent_file(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(CannotTellError, match="loop"):
        judge_file(FileRule(path=str(tmp_path / "loop"), file_or_folder_name="editor"), machine.platform)
