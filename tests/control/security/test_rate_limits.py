"""How many requests a device may send."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contract.clock import ManualClock
from control.security.rate_limits import Rate, RateLimiter


def limiter() -> tuple[RateLimiter, ManualClock]:
    clock = ManualClock(datetime.now(UTC))
    return RateLimiter(Rate(per_second=2, burst=5), clock), clock


def test_a_burst_is_served_and_then_one_must_wait() -> None:
    limits, _ = limiter()
    assert [limits.wait_seconds("a") for _ in range(6)] == [0, 0, 0, 0, 0, 0.5]


def test_after_the_wait_one_more_is_served() -> None:
    limits, clock = limiter()
    for _ in range(6):
        wait = limits.wait_seconds("a")
    clock.advance(timedelta(seconds=wait))
    assert limits.wait_seconds("a") == 0
    assert limits.wait_seconds("a") > 0


def test_one_device_takes_nothing_from_another() -> None:
    limits, _ = limiter()
    for _ in range(10):
        limits.wait_seconds("a")
    assert limits.wait_seconds("b") == 0


@given(st.lists(st.floats(min_value=0, max_value=10), min_size=1, max_size=50))
def test_whatever_the_pace_no_more_than_rate_and_burst_allow_is_served(pauses: list[float]) -> None:
    limits, clock = limiter()
    served = 0
    for pause in pauses:
        clock.advance(timedelta(seconds=pause))
        served += limits.wait_seconds("a") == 0
    assert served <= 5 + 2 * sum(pauses) + 1e-6
