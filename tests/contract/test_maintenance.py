"""Maintenance windows: by the clock on the device's wall, also on the nights on which clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contract.maintenance import MaintenanceWindow, Weekday, is_open, local, next_opening

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = MaintenanceWindow(start="22:00", duration_in_minutes=240)


def at(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


def test_without_windows_it_is_always_open() -> None:
    moment = at("2026-05-01T12:00")
    assert is_open((), moment)
    assert next_opening((), moment) == moment


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-05-01T21:59:59", False),
        ("2026-05-01T22:00", True),
        ("2026-05-02T00:00", True),
        ("2026-05-02T01:59:59", True),
        ("2026-05-02T02:00", False),
    ],
)
def test_a_window_goes_past_midnight_and_ends_on_the_minute(moment: str, expected: bool) -> None:
    assert is_open((NIGHT,), at(moment)) is expected


def test_a_window_past_midnight_belongs_to_the_day_it_opened_on() -> None:
    friday = NIGHT.model_copy(update={"days": (Weekday.FRIDAY,)})
    assert is_open((friday,), at("2026-05-02T01:00"))  # the night from friday to saturday
    assert not is_open((friday,), at("2026-05-03T01:00"))


def test_the_next_opening_is_this_moment_where_a_window_is_open() -> None:
    moment = at("2026-05-01T23:00")
    assert next_opening((NIGHT,), moment) == moment


def test_the_next_opening_may_be_a_week_away() -> None:
    sunday = MaintenanceWindow(days=(Weekday.SUNDAY,), start="03:00", duration_in_minutes=60)
    assert next_opening((sunday,), at("2026-05-03T04:00")) == at("2026-05-10T03:00")


def test_the_earliest_of_several_windows_opens_next() -> None:
    noon = MaintenanceWindow(start="12:00", duration_in_minutes=30)
    assert next_opening((NIGHT, noon), at("2026-05-01T09:00")) == at("2026-05-01T12:00")
    assert next_opening((NIGHT, noon), at("2026-05-01T13:00")) == at("2026-05-01T22:00")


def test_the_same_window_opens_at_another_moment_in_each_zone() -> None:
    moment = datetime(2026, 5, 1, 21, 0, tzinfo=UTC)
    assert is_open((NIGHT,), local(moment, "Europe/Berlin"))
    assert not is_open((NIGHT,), local(moment, "America/New_York"))
    assert next_opening((NIGHT,), local(moment, "America/New_York")) == datetime(2026, 5, 2, 2, 0, tzinfo=UTC)


def test_a_zone_that_nobody_knows_is_utc() -> None:
    moment = datetime(2026, 5, 1, 22, 30, tzinfo=UTC)
    for name in ("Nowhere/Else", "", "../../etc/passwd", "\0"):
        assert local(moment, name) == moment
        assert local(moment, name).utcoffset() == timedelta()


class TestWhenClocksGoForward:
    """Berlin, 29 March 2026: 02:00 becomes 03:00."""

    def test_an_opening_that_the_night_does_not_have_comes_as_much_later(self) -> None:
        window = MaintenanceWindow(start="02:30", duration_in_minutes=60)
        opening = next_opening((window,), at("2026-03-29T01:00"))
        assert opening == at("2026-03-29T03:30")
        assert is_open((window,), at("2026-03-29T04:29"))
        assert not is_open((window,), at("2026-03-29T04:30"))

    def test_a_window_around_the_change_is_open_for_its_whole_duration(self) -> None:
        window = MaintenanceWindow(start="01:00", duration_in_minutes=120)
        assert is_open((window,), at("2026-03-29T03:59"))
        assert not is_open((window,), at("2026-03-29T04:00"))


class TestWhenClocksGoBack:
    """Berlin, 25 October 2026: 03:00 becomes 02:00, and there are two hours after two."""

    def test_an_opening_that_the_night_has_twice_is_the_first(self) -> None:
        window = MaintenanceWindow(start="02:30", duration_in_minutes=30)
        assert next_opening((window,), at("2026-10-25T01:00")) == at("2026-10-25T02:30", fold=0)
        assert is_open((window,), at("2026-10-25T02:45", fold=0))
        assert not is_open((window,), at("2026-10-25T02:45", fold=1))

    def test_a_window_around_the_change_is_open_for_its_whole_duration(self) -> None:
        window = MaintenanceWindow(start="01:00", duration_in_minutes=120)
        assert is_open((window,), at("2026-10-25T02:59", fold=0))
        assert not is_open((window,), at("2026-10-25T02:00", fold=1))


ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata"]
)
WINDOWS = st.lists(
    st.builds(
        MaintenanceWindow,
        days=st.lists(st.sampled_from(Weekday), min_size=1).map(tuple),
        start=st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59)),
        duration_in_minutes=st.integers(1, 1440),
    ),
    min_size=1,
    max_size=4,
)
MOMENTS = st.datetimes(datetime(2011, 12, 20), datetime(2036, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(WINDOWS, MOMENTS, ZONES)
def test_at_the_next_opening_it_is_open_and_before_it_is_not(
    windows: list[MaintenanceWindow], moment: datetime, zone: str
) -> None:
    here = local(moment, zone)
    opening = next_opening(windows, here)
    assert is_open(windows, opening)
    assert opening >= here
    # Some zone has left out a whole day once.
    assert opening.astimezone(UTC) - moment <= timedelta(days=9)
    if opening > here:
        assert not is_open(windows, here)
        just_before = (opening.astimezone(UTC) - timedelta(seconds=1)).astimezone(opening.tzinfo)
        assert just_before < here or not is_open(windows, just_before)


@pytest.mark.parametrize(
    "fields",
    [
        {"start": "24:00", "duration_in_minutes": 60},
        {"start": "9:00", "duration_in_minutes": 60},
        {"start": "22:00", "duration_in_minutes": 0},
        {"start": "22:00", "duration_in_minutes": 1441},
        {"start": "22:00", "duration_in_minutes": 60, "days": []},
        {"start": "22:00", "duration_in_minutes": 60, "days": ["someday"]},
    ],
)
def test_a_window_that_says_nothing_sensible_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MaintenanceWindow.model_validate(fields)


def test_the_same_days_always_read_the_same() -> None:
    one = MaintenanceWindow.model_validate(
        {"days": ["sunday", "monday", "sunday"], "start": "01:00", "duration_in_minutes": 1}
    )
    assert one.days == (Weekday.MONDAY, Weekday.SUNDAY)
