"""File rules (behaviour 2.8)."""

from datetime import datetime
from pathlib import Path

from contract.rules import FileOperation, FileRule
from worker.judgement.compare import NotOfTypeError, as_date, as_integer, holds, to_second
from worker.judgement.verdict import Verdict, not_evaluated
from worker.platform.port import FileFacts, Platform

_MIB = 1024 * 1024


def judge_file(rule: FileRule, platform: Platform) -> Verdict:
    """Look at the machine and answer the rule.

    Raises:
        PhaseError: RULE_EVALUATION_FAILED: the path cannot be read or the rule makes no sense.
    """
    path = _path(rule, platform)
    try:
        facts = platform.file_facts(path)
    except OSError as error:
        raise not_evaluated(error.strerror or str(error), place=str(path)) from error
    return judge_file_facts(rule, path, facts)


def judge_file_facts(rule: FileRule, path: Path, facts: FileFacts | None) -> Verdict:
    """Answer the rule from what lies at its path; a pure function.

    Raises:
        PhaseError: RULE_EVALUATION_FAILED: the rule makes no sense for what lies there.
    """
    if rule.operation_type is FileOperation.EXISTS:
        return Verdict(facts is not None, f"{path}: {_there(facts)}, expected: there")
    if rule.operation_type is FileOperation.DOES_NOT_EXIST:
        return Verdict(facts is None, f"{path}: {_there(facts)}, expected: not there")
    if facts is None:
        return Verdict(holds=False, words=f"{path}: not there")
    return _compare(rule, path, facts)


def _path(rule: FileRule, platform: Platform) -> Path:
    try:
        return Path(platform.expand(rule.path)) / platform.expand(rule.file_or_folder_name)
    except LookupError as error:
        raise not_evaluated(f"there is no environment variable {error}", place=rule.path) from error


def _compare(rule: FileRule, path: Path, facts: FileFacts) -> Verdict:
    try:
        actual, expected = _operands(rule, facts)
        result = holds(rule.operator, actual, expected)
    except NotOfTypeError as error:
        raise not_evaluated(str(error), place=str(path)) from error
    return Verdict(result, f"{path}: {rule.operation_type} {actual}, expected {rule.operator} {expected}")


def _operands(rule: FileRule, facts: FileFacts) -> tuple[int, int] | tuple[datetime, datetime]:
    expected = rule.comparison_value or ""
    if rule.operation_type is FileOperation.SIZE_IN_MB and facts.size is not None:
        return facts.size // _MIB, as_integer(expected)
    if rule.operation_type is FileOperation.MODIFIED_DATE:
        return to_second(facts.modified_at), as_date(expected)
    if rule.operation_type is FileOperation.CREATED_DATE and facts.created_at is not None:
        return to_second(facts.created_at), as_date(expected)
    raise NotOfTypeError(f"it has no {rule.operation_type}")


def _there(facts: FileFacts | None) -> str:
    return "not there" if facts is None else "there"
