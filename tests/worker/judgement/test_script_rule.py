import pytest

from contract.rules import Operator, ScriptOutput, ScriptRule
from worker.judgement.compare import NotOfTypeError
from worker.judgement.script_rule import READERS, check_requirement, judge_detection, judge_requirement
from worker.judgement.verdict import RuleInvalidError
from worker.processes.script import ScriptResult


def _rule(kind: ScriptOutput, value: str, how: Operator = Operator.EQUAL) -> ScriptRule:
    return ScriptRule(script_content="x", operation_type=kind, operator=how, comparison_value=value)


@pytest.mark.behaviour("2.8 script detection", "B-32")
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


@pytest.mark.behaviour("2.8 requirement script")
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


@pytest.mark.behaviour("2.8 requirement script")
def test_a_requirement_script_that_fails_does_not_hold() -> None:
    assert not judge_requirement(_rule(ScriptOutput.STRING, "x"), ScriptResult(1, "x", "")).holds
    assert not judge_requirement(_rule(ScriptOutput.STRING, "x"), ScriptResult(0, "x", "bad")).holds


@pytest.mark.behaviour("B-38")
def test_a_requirement_script_that_compares_nothing_is_decided_by_its_exit_code() -> None:
    rule = ScriptRule(script_content="x")
    assert judge_requirement(rule, ScriptResult(0, "", "")).holds
    assert not judge_requirement(rule, ScriptResult(3, "", "")).holds
    assert not judge_requirement(rule, ScriptResult(0, "", "odd")).holds


@pytest.mark.behaviour("2.8 requirement script", "2.5 Applicability 1")
def test_output_of_another_type_is_told_apart() -> None:
    verdict = judge_requirement(_rule(ScriptOutput.INTEGER, "1"), ScriptResult(0, "one", ""))
    assert not verdict.holds
    assert verdict.of_wrong_type
    assert verdict.words == "script: output 'one', expected integer, equal 1"


@pytest.mark.parametrize(
    ("kind", "value", "how"),
    [
        (ScriptOutput.INTEGER, "one", Operator.EQUAL),
        (ScriptOutput.BOOLEAN, "maybe", Operator.EQUAL),
        (ScriptOutput.INTEGER, "1", Operator.NOT_CONFIGURED),
        (ScriptOutput.NOT_CONFIGURED, "1", Operator.NOT_CONFIGURED),
    ],
)
def test_a_comparison_that_makes_no_sense_is_refused(kind: ScriptOutput, value: str, how: Operator) -> None:
    with pytest.raises(RuleInvalidError):
        check_requirement(_rule(kind, value, how))


@pytest.mark.parametrize(
    "kind",
    [ScriptOutput.INTEGER, ScriptOutput.FLOAT, ScriptOutput.BOOLEAN, ScriptOutput.VERSION, ScriptOutput.DATE_TIME],
)
def test_a_word_is_of_no_other_type(kind: ScriptOutput) -> None:
    with pytest.raises(NotOfTypeError):
        READERS[kind]("word")


def test_every_output_type_has_a_reader() -> None:
    assert set(READERS) == set(ScriptOutput)
