"""Script rules: detection by what a script prints, requirements by comparing it (behaviour 2.8)."""

from contract.rules import Operator, ScriptOutput, ScriptRule
from worker.judgement.compare import (
    FoundNotOfTypeError,
    Reader,
    as_boolean,
    as_date,
    as_float,
    as_integer,
    as_text,
    as_version,
    compare,
    expectation,
)
from worker.judgement.verdict import Verdict, shortened
from worker.processes.script import ScriptResult

_SUBJECT = "script"

#: How the output of a requirement script is read.
READERS: dict[ScriptOutput, Reader] = {
    ScriptOutput.NOT_CONFIGURED: as_text,
    ScriptOutput.STRING: as_text,
    ScriptOutput.DATE_TIME: as_date,
    ScriptOutput.INTEGER: as_integer,
    ScriptOutput.FLOAT: as_float,
    ScriptOutput.VERSION: as_version,
    ScriptOutput.BOOLEAN: as_boolean,
}


def check_requirement(rule: ScriptRule) -> None:
    """Make sure that a requirement script's comparison makes sense; a rule without one is decided by the exit code.

    Raises:
        RuleInvalidError: It does not.
    """
    if not _by_exit_code(rule):
        expectation(rule.operator, rule.comparison_value, READERS[rule.operation_type])


def judge_detection(result: ScriptResult) -> Verdict:
    """Whether the script says that the app is there: exit 0, something on stdout, nothing on stderr."""
    holds = result.exit_code == 0 and bool(result.output.strip()) and not result.errors.strip()
    return Verdict(holds, _SUBJECT, _seen(result), "exit code 0, some output, no errors")


def judge_requirement(rule: ScriptRule, result: ScriptResult) -> Verdict:
    """Compare all the script printed, less its last line break, with what the rule expects.

    Raises:
        RuleInvalidError: The rule's comparison makes no sense.
    """
    ended_well = result.exit_code == 0 and not result.errors.strip()
    if not ended_well or _by_exit_code(rule):
        return Verdict(ended_well, _SUBJECT, _seen(result), "exit code 0, no errors")
    output = result.output.removesuffix("\n").removesuffix("\r")
    found = f"output {shortened(output)!r}"
    try:
        verdict = compare(_SUBJECT, output, rule.operator, rule.comparison_value, READERS[rule.operation_type])
    except FoundNotOfTypeError:
        expected = shortened(f"{rule.operation_type}, {rule.operator} {rule.comparison_value}")
        return Verdict(False, _SUBJECT, found, expected, of_wrong_type=True)
    return Verdict(verdict.holds, _SUBJECT, found, verdict.expected)


def _by_exit_code(rule: ScriptRule) -> bool:
    """Behaviour B-38."""
    return (
        rule.operator is Operator.NOT_CONFIGURED
        and rule.operation_type is ScriptOutput.NOT_CONFIGURED
        and not rule.comparison_value
    )


def _seen(result: ScriptResult) -> str:
    parts = [f"exit code {result.exit_code}"]
    for name, text in (("output", result.output.strip()), ("errors", result.errors.strip())):
        parts.append(f"{name} {shortened(text)!r}" if text else f"no {name}")
    return ", ".join(parts)
