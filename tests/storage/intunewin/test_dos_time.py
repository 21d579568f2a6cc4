"""Times as zip keeps them."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.intunewin.dos_time import dos_time, local_time


@pytest.mark.parametrize(
    ("moment", "packed"),
    [
        (datetime(1980, 1, 1), 0x0021_0000),  # noqa: DTZ001 - zip times carry no zone
        (datetime(2020, 10, 16, 18, 31, 54), 20816 << 16 | 37883),  # noqa: DTZ001
        (datetime(1601, 1, 1), 0x0021_0000),  # noqa: DTZ001
        (datetime(9999, 1, 1), 0xFF9F_BF7D),  # noqa: DTZ001
    ],
)
def test_known_times(moment: datetime, packed: int) -> None:
    assert dos_time(moment) == packed


@given(moment=st.datetimes(datetime(1980, 1, 1), datetime(2107, 12, 31)))  # noqa: DTZ001
def test_seconds_are_kept_in_steps_of_two(moment: datetime) -> None:
    packed = dos_time(moment)
    assert (packed >> 25) + 1980 == moment.year
    assert (packed & 0x1F) * 2 == moment.second // 2 * 2


@pytest.mark.parametrize(("stamp", "year"), [(1e20, 2107), (-1e20, 1980), (0, None)])
def test_time_stamps_without_a_date_become_the_nearest_end(stamp: float, year: int | None) -> None:
    found = local_time(stamp)
    assert found.year == year if year else abs(found.year - 1970) <= 1
