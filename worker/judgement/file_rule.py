"""File rules (behaviour 2.8)."""

from pathlib import Path

from contract.rules import FileOperation, FileRule
from worker.judgement.compare import Reader, as_date, as_integer, as_version, compare, expectation, to_second
from worker.judgement.verdict import CannotTellError, Verdict, absent, presence
from worker.platform.port import FileFacts, Platform, View

_MIB = 1024 * 1024

_READERS: dict[FileOperation, Reader] = {
    FileOperation.MODIFIED_DATE: as_date,
    FileOperation.CREATED_DATE: as_date,
    FileOperation.VERSION: as_version,
    FileOperation.SIZE_IN_MB: as_integer,
}


def check_file(rule: FileRule) -> None:
    """Make sure that the rule makes sense.

    Raises:
        RuleInvalidError: It does not.
    """
    if rule.operation_type in _READERS:
        expectation(rule.operator, rule.comparison_value, _READERS[rule.operation_type])


def judge_file(rule: FileRule, platform: Platform) -> Verdict:
    """Look at the machine and answer the rule.

    Raises:
        RuleInvalidError: The rule makes no sense.
        CannotTellError: The path cannot be read, or has not what the rule compares.
    """
    view = View.BITS_32 if rule.check32_bit_on64_system else View.NATIVE
    try:
        path = Path(platform.expand(rule.path, view)) / platform.expand(rule.file_or_folder_name, view)
        facts = platform.file_facts(path)
    except LookupError as error:
        raise CannotTellError(f"{rule.path}: there is no environment variable {error}") from error
    except OSError as error:
        raise CannotTellError(f"{path}: {error.strerror or error}") from error
    return judge_file_facts(rule, path, facts)


def judge_file_facts(rule: FileRule, path: Path, facts: FileFacts | None) -> Verdict:
    """Answer the rule from what lies at its path; a pure function.

    Raises:
        RuleInvalidError: The rule makes no sense.
        CannotTellError: What lies there has not what the rule compares.
    """
    looked_at = rule.operation_type
    if looked_at in {FileOperation.EXISTS, FileOperation.DOES_NOT_EXIST}:
        return presence(str(path), is_there=facts is not None, wanted=looked_at is FileOperation.EXISTS)
    if facts is None:
        return absent(str(path), f"{looked_at} {rule.operator} {rule.comparison_value}")
    found = _found(looked_at, facts)
    if found is None:
        raise CannotTellError(f"{path}: it has no {looked_at}")
    return compare(str(path), found, rule.operator, rule.comparison_value, _READERS[looked_at], what=looked_at)


def _found(looked_at: FileOperation, facts: FileFacts) -> str | None:
    match looked_at:
        case FileOperation.SIZE_IN_MB:
            return None if facts.size is None else str(facts.size // _MIB)
        case FileOperation.MODIFIED_DATE:
            return to_second(facts.modified_at).isoformat()
        case FileOperation.CREATED_DATE:
            return None if facts.created_at is None else to_second(facts.created_at).isoformat()
        case _:
            return facts.version
