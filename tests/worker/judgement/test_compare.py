import contextlib
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.rules import Operator
from worker.judgement.compare import (
    FoundNotOfTypeError,
    NotOfTypeError,
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
from worker.judgement.verdict import RuleInvalidError

OPERATORS = [how for how in Operator if how is not Operator.NOT_CONFIGURED]
VERSIONS = st.lists(st.integers(0, 10**6), min_size=1, max_size=5)


def _holds(found: str, how: Operator, value: str, read: Reader = as_integer) -> bool:
    return compare("it", found, how, value, read).holds


def _written(parts: list[int]) -> str:
    return ".".join(map(str, parts))


@pytest.mark.behaviour("2.5 RuleOperator")
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
    assert (_holds("1", how, "2"), _holds("2", how, "2"), _holds("3", how, "2")) == (smaller, same, larger)


@given(st.integers(), st.integers())
def test_operators_agree_with_each_other(found: int, value: int) -> None:
    answers = {how: _holds(str(found), how, str(value)) for how in OPERATORS}
    assert answers[Operator.EQUAL] is not answers[Operator.NOT_EQUAL]
    assert answers[Operator.GREATER_THAN] is not answers[Operator.LESS_THAN_OR_EQUAL]
    assert answers[Operator.LESS_THAN] is not answers[Operator.GREATER_THAN_OR_EQUAL]
    assert answers[Operator.EQUAL] is (answers[Operator.LESS_THAN_OR_EQUAL] and answers[Operator.GREATER_THAN_OR_EQUAL])


def test_a_rule_without_operator_or_value_or_with_a_value_of_another_type_makes_no_sense() -> None:
    with pytest.raises(RuleInvalidError, match="operator"):
        expectation(Operator.NOT_CONFIGURED, "1", as_integer)
    with pytest.raises(RuleInvalidError, match="value"):
        expectation(Operator.EQUAL, None, as_integer)
    with pytest.raises(RuleInvalidError, match="'one', which is no whole number"):
        expectation(Operator.EQUAL, "one", as_integer)


def test_what_is_found_of_another_type_is_told_apart_from_a_no() -> None:
    with pytest.raises(FoundNotOfTypeError, match="it: found 'one', which is no whole number"):
        _holds("one", Operator.EQUAL, "1")


def test_the_words_say_what_was_compared_with_what_and_repeat_no_long_text_whole() -> None:
    verdict = compare("it", "7", Operator.LESS_THAN, "3", as_integer, what="size")
    assert verdict.words == "it: size 7, expected lessThan 3"
    long = compare("it", "x" * 5000, Operator.EQUAL, "y" * 5000, as_text)
    assert len(long.words) < 600


@pytest.mark.behaviour("2.8 string comparison")
def test_strings_are_compared_regardless_of_case() -> None:
    assert as_text("Straße ENABLED") == as_text("strasse enabled")
    assert as_text("on") != as_text("on ")


@pytest.mark.behaviour("2.8 version comparison")
@pytest.mark.parametrize(
    ("older", "newer"), [("9.0", "10.0.1"), ("1.2.9", "1.2.10"), ("1.2", "1.2.0.1"), ("2", "10"), ("1.02", "1.3")]
)
def test_versions_are_compared_part_by_part_as_numbers(older: str, newer: str) -> None:
    assert as_version(older) < as_version(newer)


def test_missing_parts_of_a_version_count_as_zero() -> None:
    assert as_version("1.2") == as_version("1.2.0.0")
    assert as_version("0") == as_version("0.0")


@given(VERSIONS, VERSIONS)
def test_versions_order_as_their_parts_do(left: list[int], right: list[int]) -> None:
    longest = max(len(left), len(right))
    padded = [parts + [0] * (longest - len(parts)) for parts in (left, right)]
    read = [as_version(_written(parts)) for parts in (left, right)]
    assert (read[0] < read[1]) == (padded[0] < padded[1])
    assert (read[0] == read[1]) == (padded[0] == padded[1])


@given(VERSIONS, VERSIONS, VERSIONS)
def test_the_order_of_versions_is_total_and_transitive(first: list[int], second: list[int], third: list[int]) -> None:
    low, middle, high = sorted(as_version(_written(parts)) for parts in (first, second, third))
    assert low <= middle <= high
    assert low <= high
    assert (low < high) + (low == high) + (low > high) == 1


@given(VERSIONS, st.integers(0, 4), st.integers(0, 3))
def test_a_version_equals_itself_with_zeros_behind_it_or_before_its_parts(
    parts: list[int], zeros: int, width: int
) -> None:
    written = ".".join("0" * width + str(part) for part in parts) + ".0" * zeros
    assert as_version(written) == as_version(_written(parts))
    assert as_version(written + ".1") > as_version(written)


@pytest.mark.parametrize("text", ["", "1.2-beta", "v1", "1..2", ".1", "\u0661.2", "9" * 5000])
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
    assert as_integer("42\x1f") == 42
    assert as_integer("-7") == -7
    assert as_float(" 4.5 ") == 4.5


@pytest.mark.parametrize("text", ["1_000", "0x10", "\u0661", "", "1.0", "9" * 5000])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(NotOfTypeError):
        as_integer(text)


@pytest.mark.parametrize("text", ["nan", "", "1,5", "9" * 5000])
def test_what_is_no_number_is_refused_so_that_the_order_stays_total(text: str) -> None:
    with pytest.raises(NotOfTypeError):
        as_float(text)


@given(st.integers(-(10**30), 10**30))
def test_every_whole_number_is_read_back(number: int) -> None:
    assert as_integer(f" {number} ") == number


@given(st.datetimes(), st.timezones() | st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23))))
def test_a_date_is_the_same_moment_in_every_zone_or_refused(moment: datetime, zone: tzinfo) -> None:
    """The ends of the calendar have no moment in some zones: that is a refusal, not a crash."""
    written = moment.replace(tzinfo=zone).isoformat()
    try:
        read = as_date(written)
    except NotOfTypeError:
        assert moment.year in {1, 9999}
    else:
        assert read.microsecond == 0
        assert abs(read - moment.replace(tzinfo=zone)) < timedelta(seconds=1)


@given(st.text())
@pytest.mark.parametrize("read", [as_text, as_integer, as_float, as_boolean, as_version, as_date])
def test_no_text_ends_in_anything_but_a_value_or_a_refusal(read: Reader, text: str) -> None:
    with contextlib.suppress(NotOfTypeError):
        assert read(text) == read(text)
