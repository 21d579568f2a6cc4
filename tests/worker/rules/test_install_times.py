"""When a command may be run."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.maintenance import MaintenanceWindow, is_open
from contract.policy import Delivery
from contract.report import WaitReason
from worker.rules.install_times import NotYet, not_yet

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 5, 1, 12, tzinfo=BERLIN)
NIGHT = MaintenanceWindow(start="22:00", duration_in_minutes=240)
AT_TEN = datetime(2026, 5, 1, 22, tzinfo=BERLIN)


def test_what_says_nothing_runs_at_once() -> None:
    assert not_yet(Delivery(), NOON) is None


def test_a_closed_window_makes_it_wait_for_the_opening() -> None:
    assert not_yet(Delivery(windows=(NIGHT,)), NOON) == NotYet(AT_TEN, WaitReason.WINDOW)
    assert not_yet(Delivery(windows=(NIGHT,)), AT_TEN) is None


@pytest.mark.behaviour("2.10 deadline")
def test_a_time_in_utc_is_the_same_moment_everywhere() -> None:
    delivery = Delivery(deadline_at=datetime(2026, 5, 1, 12, tzinfo=UTC))
    due = datetime(2026, 5, 1, 14, tzinfo=BERLIN)
    assert not_yet(delivery, NOON) == NotYet(due, WaitReason.DEADLINE)
    assert not_yet(delivery, due) is None


@pytest.mark.behaviour("2.10 deadline")
def test_a_local_time_is_what_the_clock_on_the_devices_wall_shows() -> None:
    delivery = Delivery(deadline_at=datetime(2026, 5, 1, 13, tzinfo=UTC), deadline_is_local=True)
    due = datetime(2026, 5, 1, 13, tzinfo=BERLIN)
    assert not_yet(delivery, NOON) == NotYet(due, WaitReason.DEADLINE)
    assert not_yet(delivery, due) is None


def test_a_time_outside_every_window_means_the_first_opening_after_it() -> None:
    delivery = Delivery(deadline_at=datetime(2026, 5, 2, 12, tzinfo=UTC), windows=(NIGHT,))
    tomorrow = AT_TEN + timedelta(days=1)
    assert not_yet(delivery, NOON) == NotYet(tomorrow, WaitReason.DEADLINE)
    assert not_yet(delivery, AT_TEN + timedelta(hours=1)) == NotYet(tomorrow, WaitReason.DEADLINE)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(BERLIN)),  # noqa: DTZ001
    st.none() | st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(0, 23),
    st.integers(1, 1440),
)
def test_at_the_time_it_was_put_off_to_it_runs_and_no_window_is_violated(
    now: datetime, deadline: datetime | None, hour: int, minutes: int
) -> None:
    window = MaintenanceWindow(start=f"{hour:02}:00", duration_in_minutes=minutes)
    delivery = Delivery(deadline_at=deadline, windows=(window,))
    waits = not_yet(delivery, now)
    begins = now if waits is None else waits.at
    assert is_open((window,), begins)
    assert deadline is None or begins.astimezone(UTC) >= deadline
    assert not_yet(delivery, begins) is None
