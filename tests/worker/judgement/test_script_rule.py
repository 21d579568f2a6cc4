import pytest

from contract.errors import PhaseError
from contract.rules import Operator, ScriptOutput, ScriptRule
from worker.judgement.script_rule import OutputTypeError, judge_detection, judge_requirement
from worker.processes.script import ScriptResult


def _rule(kind: ScriptOutput, value: str, how: Operator = Operator.EQUAL) -> ScriptRule:
    return ScriptRule(script_content="x", operation_type=kind, operator=how, comparison_value=value)


@pytest.mark.parametrize(
    ("result", "detected"),
    [
        (ScriptResult(0, "found\n", ""), True),
        (ScriptResult(0, "", ""), False),
        (ScriptResult(0, " \n", ""), False),
        (ScriptResult(1, "found\n", ""), False),
        (ScriptResult(0, "found\n", "warning\n"), False),
    ],
)
def test_detected_means_exit_zero_some_output_and_no_errors(result: ScriptResult, detected: bool) -> None:
    assert judge_detection(result).holds is detected


@pytest.mark.parametrize(
    ("kind", "printed", "how", "value", "expected"),
    [
        (ScriptOutput.STRING, "Ready", Operator.EQUAL, "ready", True),
        (ScriptOutput.STRING, "Ready\n", Operator.NOT_EQUAL, "busy", True),
        (ScriptOutput.STRING, "ready ", Operator.EQUAL, "ready", False),
        (ScriptOutput.STRING, "a\nb\n", Operator.EQUAL, "a\nb", True),
        (ScriptOutput.INTEGER, "10\n", Operator.GREATER_THAN, "9", True),
        (ScriptOutput.FLOAT, "0.5", Operator.LESS_THAN_OR_EQUAL, "0.5", True),
        (ScriptOutput.VERSION, "1.10\r\n", Operator.GREATER_THAN, "1.9", True),
        (ScriptOutput.BOOLEAN, "True", Operator.EQUAL, "1", True),
        (ScriptOutput.DATE_TIME, "2026-01-01T00:00:00Z", Operator.LESS_THAN, "2026-02-01", True),
    ],
)
def test_the_whole_output_less_its_last_line_break_is_compared_as_its_type(
    kind: ScriptOutput, printed: str, how: Operator, value: str, expected: bool
) -> None:
    assert judge_requirement(_rule(kind, value, how), ScriptResult(0, printed, "")).holds is expected


def test_a_requirement_script_that_fails_does_not_hold() -> None:
    assert not judge_requirement(_rule(ScriptOutput.STRING, "x"), ScriptResult(1, "x", "")).holds
    assert not judge_requirement(_rule(ScriptOutput.STRING, "x"), ScriptResult(0, "x", "bad")).holds


def test_output_of_another_type_is_told_apart() -> None:
    with pytest.raises(OutputTypeError):
        judge_requirement(_rule(ScriptOutput.INTEGER, "1"), ScriptResult(0, "one", ""))


def test_a_rule_whose_own_value_is_of_another_type_is_not_evaluated() -> None:
    with pytest.raises(PhaseError):
        judge_requirement(_rule(ScriptOutput.INTEGER, "one"), ScriptResult(0, "1", ""))


def test_a_rule_without_an_operator_is_not_evaluated() -> None:
    with pytest.raises(PhaseError):
        judge_requirement(_rule(ScriptOutput.INTEGER, "1", Operator.NOT_CONFIGURED), ScriptResult(0, "1", ""))
