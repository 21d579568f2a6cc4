"""A countdown that a clock made too long; hostile messages are shown on a real queue in test_celery_app.py."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from worker.message_guard import WAIT_HEADER, shorten_countdown
from worker.rules.retry import REEVALUATION_SECONDS

SLACK = timedelta(seconds=10)


def _shortened(eta: str | None, wait_seconds: float | None = None) -> str | None:
    message: dict[str, Any] = {"headers": {"eta": eta, WAIT_HEADER: wait_seconds}}
    shorten_countdown(message)
    shortened: str | None = message["headers"]["eta"]
    return shortened


@pytest.mark.parametrize("hours", [-24, 0, 7])
def test_a_wait_as_long_as_any_is_left_alone(hours: int) -> None:
    eta = (datetime.now(UTC) + timedelta(hours=hours)).isoformat()
    assert _shortened(eta) == eta


def test_a_message_that_waits_for_nothing_is_left_alone() -> None:
    assert _shortened(None) is None


@pytest.mark.parametrize(
    ("stated", "longest"), [(300, 300), (0, 0), (None, REEVALUATION_SECONDS), (1e9, REEVALUATION_SECONDS)]
)
def test_after_a_clock_was_set_back_a_message_waits_no_longer_than_it_was_sent_to_wait(
    stated: float | None, longest: float
) -> None:
    shortened = _shortened((datetime.now(UTC) + timedelta(days=1, hours=1)).isoformat(), stated)
    assert shortened is not None
    expected = datetime.now(UTC) + timedelta(seconds=longest)
    assert abs(datetime.fromisoformat(shortened) - expected) < SLACK
