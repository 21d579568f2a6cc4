"""Times as zip keeps them: local clock, two-second steps, 1980 to 2107 (package 1.1, 1.4)."""

from datetime import datetime

_FIRST = datetime(1980, 1, 1)  # noqa: DTZ001 - zip times carry no zone
_LAST = datetime(2107, 12, 31, 23, 59, 58)  # noqa: DTZ001


def dos_time(moment: datetime) -> int:
    """Pack a local time: date in the upper, time in the lower 16 bits; times outside the range become its ends."""
    moment = min(max(moment.replace(tzinfo=None), _FIRST), _LAST)
    date = (moment.year - _FIRST.year) << 9 | moment.month << 5 | moment.day
    return date << 16 | moment.hour << 11 | moment.minute << 5 | moment.second // 2


def local_time(timestamp: float) -> datetime:
    """The local time of a file's time stamp, as the original tool reads it; the nearest end where it has no date."""
    try:
        return datetime.fromtimestamp(timestamp)  # noqa: DTZ006 - zip times are local by definition
    except (OverflowError, OSError, ValueError):
        return _FIRST if timestamp < 0 else _LAST
