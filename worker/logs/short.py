"""Events in short for people, whether they come from the program or from its file."""

from collections.abc import Mapping
from typing import Any, Final

#: What a step has beside its facts; its sentence says the rest.
_STEP: Final = "step"
_PART: Final = "part"
_NO_FACTS: Final = frozenset({"timestamp", "level", "logger", "event", "exception", "exc_info", _STEP, _PART})
#: A policy's whole body is for files.
_PEOPLE_READ_CHARACTERS: Final = 300


def short_line(event: Mapping[str, Any]) -> str:
    """One line; tracebacks and further lines are in the files."""
    first = sentence(event).partition("\n")[0]
    if len(first) > _PEOPLE_READ_CHARACTERS:
        first = f"{first[:_PEOPLE_READ_CHARACTERS]}..."
    return f"{event.get('timestamp', '')} {event.get('level', ''):7} {first}"


def sentence(event: Mapping[str, Any]) -> str:
    """What happened, with the facts; a step's own sentence has them already."""
    text = str(event.get("event", ""))
    if _STEP in event:
        return f"[{event[_PART]}] {text}"
    facts = " ".join(f"{name}={value}" for name, value in event.items() if name not in _NO_FACTS)
    return f"{text} {facts}".rstrip()
