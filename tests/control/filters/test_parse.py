from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.filters.parse import MAX_RULE_LENGTH, parse_rule
from control.filters.rule import Comparison, Conjunction, Disjunction, Rule, text_of
from tests.control.filters.rules import rules

A = 'device.site -eq "a"'
B = 'device.model -eq "b"'
C = 'device.hostname -eq "c"'


@given(rules)
def test_what_a_rule_is_written_as_is_read_as_the_same_rule(rule: Rule) -> None:
    assert parse_rule(text_of(rule)) == rule


@given(rules)
def test_the_case_of_names_operators_and_words_means_nothing(rule: Rule) -> None:
    loud = parse_rule(text_of(rule).upper())
    assert text_of(loud).casefold() == text_of(parse_rule(text_of(loud))).casefold()
    assert type(loud) is type(rule)


@given(st.text(max_size=80))
def test_any_other_text_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_rule(f"{text} device.", place="filter x")
    assert (caught.value.code, caught.value.place) == (ErrorCode.FILTER_INVALID, "filter x")
    assert caught.value.detail.startswith("line ")
    assert "expected" in caught.value.detail


@given(st.lists(st.sampled_from([*"()[],$", "and", "or", "device.site", "-eq", "-in", '"a"', "$null", "12"])))
def test_words_of_the_language_in_any_order_give_a_rule_or_an_error_and_nothing_else(words: list[str]) -> None:
    with suppress(InputError):
        rule = parse_rule(" ".join(words))
        assert parse_rule(text_of(rule)) == rule


@pytest.mark.behaviour("2.8 assignment filter")
def test_and_binds_tighter_than_or() -> None:
    a, b, c = (parse_rule(text) for text in (A, B, C))
    assert parse_rule(f"{A} or {B} and {C}") == Disjunction((a, Conjunction((b, c))))
    assert parse_rule(f"{A} and {B} or {C}") == Disjunction((Conjunction((a, b)), c))
    assert parse_rule(f"({A} or {B}) and {C}") == Conjunction((Disjunction((a, b)), c))


@pytest.mark.behaviour("2.8 assignment filter")
@pytest.mark.parametrize(
    "operator", ["-eq", "-ne", "-startsWith", "-contains", "-notContains", "-EQ", "-STARTSWITH", "-notcontains"]
)
def test_every_operator_on_text_is_known(operator: str) -> None:
    rule = parse_rule(f'device.site {operator} "x"')
    assert isinstance(rule, Comparison)
    assert rule.operator.lower() == operator.lower()


def test_brackets_for_nothing_change_nothing() -> None:
    assert parse_rule(f"((({A})) and (({B})))") == parse_rule(f"{A} and {B}")
    assert parse_rule(f"{A} and ({B} and {C})") == parse_rule(f"{A} and {B} and {C}")


def test_values_are_trimmed_and_the_prefix_may_be_left_out() -> None:
    assert parse_rule('Site -EQ "  a "') == parse_rule(A)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1, column 1: expected a property such as device.osVersion or (; found the end"),
        ("device.site", "line 1, column 12: expected an operator such as -eq; found the end"),
        ("device.sight -eq 1", "line 1, column 1: expected a property: did you mean site?; found device.sight"),
        ('device.site -equals "a"', "line 1, column 13: expected an operator:"),
        (f"{A}\nor", "line 2, column 3: expected a property"),
        (f"{A} {B}", "line 1, column 21: expected and, or or the end; found device.model"),
        (f"({A}", "line 1, column 21: expected ); found the end"),
        (f"{A})", "line 1, column 20: expected and, or or the end; found )"),
        ('device.site -gt "a"', "line 1, column 13: expected -eq, -ne, -startsWith"),
        ('device.processors -contains "1"', "found -contains, which processors cannot be compared with"),
        ('device.processors -eq "many"', "expected numbers such as 10.0.19045"),
        (f"device.processors -eq {'9' * 5000}", f"expected at most {MAX_RULE_LENGTH} characters"),
        (f"device.processors -eq {'9' * 1000}", "expected numbers such as 10.0.19045"),
        ('device.site -in "a"', 'expected a list such as ["a", "b"] after -in'),
        ("device.site -in []", 'expected a text in quotation marks such as "linux" or a number; found ]'),
        ('device.site -eq ["a"]', "expected -in or -notIn before a list"),
        ("device.site -contains $null", "-eq and -ne alone know $null"),
        ('device.site -eq " "', "expected a text that is not empty"),
        ('device.site -eq "a', "line 1, column 17: expected a text in quotation marks"),
        (r'device.site -eq "\ud800"', "expected a text without control characters"),
        ('device.site -eq "\x00"', "expected a text without control characters"),
    ],
)
def test_what_is_wrong_is_said_with_line_and_column(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_rule(text)
    assert said in caught.value.detail


def test_a_rule_of_brackets_alone_is_refused_quietly() -> None:
    with pytest.raises(InputError, match="expected"):
        parse_rule("(" * MAX_RULE_LENGTH)


def test_the_deepest_rule_that_is_short_enough_is_read_and_written() -> None:
    text = f"{A} or {B}"
    while len(deeper := f"{A} or {B} and ({text})") <= MAX_RULE_LENGTH:
        text = deeper
    assert text_of(parse_rule(text)) == text
