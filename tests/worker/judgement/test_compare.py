from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.rules import Operator, ScriptOutput
from worker.judgement.compare import (
    READERS,
    NotOfTypeError,
    as_boolean,
    as_date,
    as_float,
    as_integer,
    as_text,
    as_version,
    holds,
)


@pytest.mark.parametrize(
    ("how", "smaller", "same", "larger"),
    [
        (Operator.EQUAL, False, True, False),
        (Operator.NOT_EQUAL, True, False, True),
        (Operator.GREATER_THAN, False, False, True),
        (Operator.GREATER_THAN_OR_EQUAL, False, True, True),
        (Operator.LESS_THAN, True, False, False),
        (Operator.LESS_THAN_OR_EQUAL, True, True, False),
    ],
)
def test_each_operator_means_what_it_says(how: Operator, smaller: bool, same: bool, larger: bool) -> None:
    assert (holds(how, 1, 2), holds(how, 2, 2), holds(how, 3, 2)) == (smaller, same, larger)


def test_a_rule_without_an_operator_is_not_answered() -> None:
    with pytest.raises(NotOfTypeError):
        holds(Operator.NOT_CONFIGURED, 1, 1)


def test_strings_are_compared_regardless_of_case() -> None:
    assert as_text("Straße ENABLED") == as_text("strasse enabled")
    assert as_text("on") != as_text("on ")


@pytest.mark.parametrize(
    ("older", "newer"), [("9.0", "10.0.1"), ("1.2.9", "1.2.10"), ("1.2", "1.2.0.1"), ("2", "10"), ("1.02", "1.3")]
)
def test_versions_are_compared_part_by_part_as_numbers(older: str, newer: str) -> None:
    assert as_version(older) < as_version(newer)


def test_missing_parts_of_a_version_count_as_zero() -> None:
    assert as_version("1.2") == as_version("1.2.0.0")
    assert as_version("0") == as_version("0.0")


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=5), st.lists(st.integers(0, 10**6), min_size=1, max_size=5))
def test_versions_order_as_their_parts_do(left: list[int], right: list[int]) -> None:
    longest = max(len(left), len(right))
    padded = [parts + [0] * (longest - len(parts)) for parts in (left, right)]
    read = [as_version(".".join(map(str, parts))) for parts in (left, right)]
    assert (read[0] < read[1]) == (padded[0] < padded[1])
    assert (read[0] == read[1]) == (padded[0] == padded[1])


@pytest.mark.parametrize("text", ["", "1.2-beta", "v1", "1..2", ".1", "\u0661.2"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(NotOfTypeError):
        as_version(text)


def test_dates_without_a_zone_are_utc_and_fractions_do_not_count() -> None:
    assert as_date("2026-01-31T12:00:00.75") == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert as_date("2026-01-31T13:00:00+01:00") == as_date("2026-01-31T12:00:00Z")
    assert as_date("2026-01-31") < as_date("2026-01-31T00:00:01")


@pytest.mark.parametrize(("text", "value"), [("True", True), ("1", True), (" false ", False), ("0", False)])
def test_booleans_are_read_as_people_write_them(text: str, value: bool) -> None:
    assert as_boolean(text) is value


def test_numbers_may_stand_between_blanks() -> None:
    assert as_integer(" 42\n") == 42
    assert as_float(" 4.5 ") == 4.5


@pytest.mark.parametrize(
    "kind",
    [ScriptOutput.INTEGER, ScriptOutput.FLOAT, ScriptOutput.BOOLEAN, ScriptOutput.VERSION, ScriptOutput.DATE_TIME],
)
def test_a_word_is_of_no_other_type(kind: ScriptOutput) -> None:
    with pytest.raises(NotOfTypeError):
        READERS[kind]("word")


def test_every_output_type_has_a_reader() -> None:
    assert set(READERS) == set(ScriptOutput)
