"""Values as people read them."""

from datetime import UTC, datetime, timedelta

import pytest
import typer

from control.cli.options import parse_duration
from control.cli.words import ago_word, duration_word, size_word, time_word

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "word"), [(0.35, "350 ms"), (4.24, "4.2 s"), (185, "3 min 5 s"), (7200, "120 min 0 s")]
)
def test_durations(seconds: float, word: str) -> None:
    assert duration_word(seconds) == word


@pytest.mark.parametrize(
    ("ago", "word"),
    [
        (timedelta(seconds=-5), "now"),
        (timedelta(seconds=42), "42 s ago"),
        (timedelta(minutes=5, seconds=50), "5 min ago"),
        (timedelta(hours=47), "1 d ago"),
        (timedelta(hours=23), "23 h ago"),
    ],
)
def test_how_long_ago(ago: timedelta, word: str) -> None:
    assert ago_word(NOON - ago, NOON) == word


def test_sizes_and_no_time_at_all() -> None:
    assert size_word(176) == "176 bytes"
    assert time_word(None) == ""


@pytest.mark.parametrize(
    ("text", "span"),
    [("90s", timedelta(seconds=90)), ("1.5h", timedelta(minutes=90)), ("2w", timedelta(days=14))],
)
def test_spans_are_read(text: str, span: timedelta) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize("text", ["", "5", "h", "0m", "-1h", "1y", "nanh", "infd"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="expected"):
        parse_duration(text)
