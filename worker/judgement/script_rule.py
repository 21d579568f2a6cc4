"""Script rules: detection by what a script prints, requirements by comparing it (behaviour 2.8)."""

from contract.rules import ScriptRule
from worker.judgement.compare import READERS, NotOfTypeError, holds
from worker.judgement.verdict import Verdict, not_evaluated
from worker.processes.script import ScriptResult

_SHOWN_CHARACTERS = 200


class OutputTypeError(Exception):
    """A requirement script printed something that is not of the rule's type."""


def judge_detection(result: ScriptResult) -> Verdict:
    """Whether the script says that the app is there: exit 0, something on stdout, nothing on stderr."""
    holds_ = result.exit_code == 0 and bool(result.output.strip()) and not result.errors.strip()
    return Verdict(holds_, f"script: {_seen(result)}; expected exit code 0, output, and no errors")


def judge_requirement(rule: ScriptRule, result: ScriptResult) -> Verdict:
    """Compare all the script printed, less its last line break, with what the rule expects.

    Raises:
        OutputTypeError: The output is not of the rule's type.
        PhaseError: RULE_EVALUATION_FAILED: what the rule expects is not of its own type.
    """
    if result.exit_code != 0 or result.errors.strip():
        return Verdict(holds=False, words=f"script: {_seen(result)}; expected exit code 0 and no errors")
    read = READERS[rule.operation_type]
    try:
        expected = read(rule.comparison_value or "")
    except NotOfTypeError as error:
        raise not_evaluated(f"the rule's own value: {error}", place="script") from error
    output = result.output.removesuffix("\n").removesuffix("\r")
    try:
        actual = read(output)
    except NotOfTypeError as error:
        raise OutputTypeError(f"script: {error}") from error
    words = f"script: printed {output[:_SHOWN_CHARACTERS]!r}, expected {rule.operator} {rule.comparison_value!r}"
    return Verdict(_holds(rule, actual, expected), words)


def _holds(rule: ScriptRule, actual: object, expected: object) -> bool:
    try:
        return holds(rule.operator, actual, expected)
    except NotOfTypeError as error:
        raise not_evaluated(str(error), place="script") from error


def _seen(result: ScriptResult) -> str:
    parts = [f"exit code {result.exit_code}"]
    for name, text in (("output", result.output), ("errors", result.errors)):
        parts.append(f"{name} {text.strip()[:_SHOWN_CHARACTERS]!r}" if text.strip() else f"no {name}")
    return ", ".join(parts)
