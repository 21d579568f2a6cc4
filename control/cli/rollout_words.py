"""How rings, limits and windows are written on a command line."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.maintenance import Weekday
from control.cli.options import parse_duration
from control.rollouts.spec import RolloutSpec

#: How a ring is written; each help text shows it.
RING_FORM: Final = (
    "NAME=SIZE[,soak=1d][,success=95%][,failure=2%][,failures=10][,classes=installer+content][,first-attempts]"
)

_WINDOW: Final = re.compile(r"(?P<days>[a-z,-]+) (?P<start>\d{2}:\d{2})\+(?P<hours>[^ ]+)", re.IGNORECASE)
_DAYS: Final = tuple(Weekday)
_SHORT_DAYS: Final = {day.value[:3]: number for number, day in enumerate(_DAYS)}


def spec_of(
    rings: Sequence[str], windows: Sequence[str], limits: Mapping[str, Any], *, rollback_on_failure: bool
) -> RolloutSpec:
    """A rollout as a command line says it.

    Raises:
        InputError: ROLLOUT_INVALID: a part is not written as it must be, or they do not fit together.
    """
    said: dict[str, Any] = {
        "limits": {name: value for name, value in limits.items() if value},
        "windows": [window_of(text) for text in windows],
        "rollback_on_failure": rollback_on_failure,
    }
    if rings:
        said["rings"] = [_ring(text) for text in rings]
    return checked_spec(said, "rollout")


def checked_spec(data: object, place: str) -> RolloutSpec:
    """A rollout as data says it.

    Raises:
        InputError: ROLLOUT_INVALID: it says something else; the first place that is wrong is named.
    """
    try:
        return RolloutSpec.model_validate(data)
    except ValidationError as error:
        problems = [f"{_dotted(entry['loc'])}: {entry['msg']}" for entry in error.errors(include_url=False)]
        raise _refused(place, "\n".join(problems)) from error


def named_limits(entries: Sequence[str], option: str) -> dict[str, int]:
    """`NAME=NUMBER` as often as it was given.

    Raises:
        InputError: ROLLOUT_INVALID: an entry is not written so.
    """
    found: dict[str, int] = {}
    for entry in entries:
        name, _, number = entry.rpartition("=")
        if not name or not number.isdecimal():
            raise _refused(option, f"expected NAME=NUMBER, found {entry!r}")
        found[name] = int(number)
    return found


def _ring(text: str) -> dict[str, Any]:
    name, is_sized, rest = text.partition("=")
    size, *settings = rest.split(",")
    if not name or not is_sized:
        raise _refused(f"--ring {text}", f"expected {RING_FORM}")
    ring: dict[str, Any] = {"name": name, **_size(size, text), "success": {}, "failure": {}}
    for setting in settings:
        _set(ring, setting, text)
    return ring


def _size(size: str, text: str) -> dict[str, Any]:
    if size == "rest":
        return {}
    if size.startswith("group:"):
        return {"groups": size.removeprefix("group:").split("+")}
    if size.endswith("%"):
        return {"percent": _number(size, text)}
    if size.isdecimal():
        return {"count": int(size)}
    raise _refused(f"--ring {text}", f"expected a size such as 5%, 50, group:pilot or rest, found {size!r}")


def _set(ring: dict[str, Any], setting: str, text: str) -> None:
    key, _, value = setting.partition("=")
    match key:
        case "soak":
            ring["soak_seconds"] = parse_duration(value).total_seconds()
        case "success":
            ring["success"]["percent"] = _number(value, text)
        case "failure":
            ring["failure"]["percent"] = _number(value, text)
        case "failures":
            ring["failure"]["count"] = value
        case "classes":
            ring["failure"]["classes"] = value.split("+")
        case "first-attempts":
            ring["failure"]["first_attempts"] = True
        case _:
            raise _refused(f"--ring {text}", f"expected {RING_FORM}, found {setting!r}")


def _number(share: str, text: str) -> float:
    try:
        return float(share.removesuffix("%"))
    except ValueError:
        raise _refused(f"--ring {text}", f"expected a share such as 5%, found {share!r}") from None


def window_of(text: str) -> dict[str, Any]:
    """A maintenance window such as `mon-fri 22:00+4h`, as data.

    Raises:
        InputError: ROLLOUT_INVALID: it is not written so.
    """
    found = _WINDOW.fullmatch(text)
    if found is None:
        expected = "expected days, start and length such as 'mon-fri 22:00+4h' or 'daily 01:30+90m'"
        raise _refused(f"--window {text!r}", expected)
    minutes = parse_duration(found["hours"]).total_seconds() / 60
    return {"days": _days(found["days"].lower(), text), "start": found["start"], "duration_in_minutes": minutes}


def _days(words: str, text: str) -> list[Weekday]:
    if words == "daily":
        return list(_DAYS)
    days: list[Weekday] = []
    for word in words.split(","):
        first, _, last = word.partition("-")
        if first not in _SHORT_DAYS or (last or first) not in _SHORT_DAYS:
            raise _refused(f"--window {text!r}", f"expected days such as mon, sat,sun or mon-fri, found {word!r}")
        begin, end = _SHORT_DAYS[first], _SHORT_DAYS[last or first]
        # From friday to monday goes over the end of the week.
        days += [_DAYS[number % len(_DAYS)] for number in range(begin, end + 1 + len(_DAYS) * (end < begin))]
    return days


def _dotted(location: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in location) or "whole"


def _refused(place: str, detail: str) -> InputError:
    return InputError(ErrorCode.ROLLOUT_INVALID, place=place, detail=detail)
