from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.phases import Phase
from worker.logs.level import LogLevel
from worker.logs.selection import Selection, since

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVENT: dict[str, Any] = {
    "timestamp": "2026-03-01T12:00:00.5Z",
    "level": "warning",
    "app": "Editor",
    "app_id": "a-1",
    "job": "j-1",
    "phase": "install",
}


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(app="editor"),
        Selection(app="A-1"),
        Selection(job="j-1"),
        Selection(phase=Phase.INSTALL),
        Selection(level=LogLevel.WARNING),
        Selection(level=LogLevel.DEBUG),
        Selection(since=NOW),
        Selection(app="Editor", job="j-1", phase=Phase.INSTALL, level=LogLevel.INFO, since=NOW),
    ],
)
def test_an_event_that_has_all_that_is_wanted_is_taken(selection: Selection) -> None:
    assert selection.takes(EVENT)


@pytest.mark.parametrize(
    "selection",
    [
        Selection(app="edit"),
        Selection(job="j-2"),
        Selection(phase=Phase.DETECT),
        Selection(level=LogLevel.ERROR),
        Selection(since=NOW + timedelta(seconds=1)),
        Selection(app="Editor", job="j-2"),
    ],
)
def test_an_event_that_lacks_one_thing_is_left_out(selection: Selection) -> None:
    assert not selection.takes(EVENT)


def test_what_is_left_of_a_torn_line_is_shown_unless_it_is_known_not_to_belong() -> None:
    torn = {"event": '{"event": "to'}
    assert Selection(level=LogLevel.ERROR, since=NOW).takes(torn)
    assert not Selection(app="Editor").takes(torn)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("10m", NOW - timedelta(minutes=10)),
        ("2h", NOW - timedelta(hours=2)),
        (" 3d ", NOW - timedelta(days=3)),
        ("2026-02-28T10:00:00+01:00", datetime(2026, 2, 28, 9, tzinfo=UTC)),
        ("2026-02-28T10:00:00Z", datetime(2026, 2, 28, 10, tzinfo=UTC)),
    ],
)
def test_a_time_is_understood_as_people_write_it(text: str, moment: datetime) -> None:
    assert since(text, NOW) == moment


def test_a_date_without_a_zone_is_local() -> None:
    assert since("2026-02-28", NOW) == datetime(2026, 2, 28).astimezone()


@pytest.mark.parametrize("text", ["", "yesterday", "5", "-3m", "2026-13-01", "999999999d", "10 m"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        since(text, NOW)
    assert caught.value.code is ErrorCode.TIME_INVALID
