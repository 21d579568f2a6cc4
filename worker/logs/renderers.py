"""Events as text: in the envelope for tools, in short for people."""

import threading
from datetime import datetime
from typing import Final

from structlog.typing import EventDict, WrappedLogger

from worker.logs.cmtrace import envelope, gravity

#: What a step has beside its facts; its sentence says the rest.
_STEP: Final = "step"
_PART: Final = "part"
_NO_FACTS: Final = frozenset(
    {"timestamp", "level", "logger", "event", "exception", "exc_info", "_record", "_from_structlog", _STEP, _PART}
)
#: A policy's whole body is for files.
_PEOPLE_READ_CHARACTERS: Final = 300


class Envelopes:
    """Renders events as records of one log in the original's envelope."""

    def __init__(self, component: str) -> None:
        self._component = component

    def __call__(self, _logger: WrappedLogger, _name: str, event: EventDict) -> str:
        """The record; a structlog processor that ends a chain."""
        record = event["_record"]
        return envelope(
            _message(event),
            at=datetime.fromtimestamp(record.created).astimezone(),
            component=self._component,
            kind=gravity(record.levelno),
            thread=threading.get_native_id(),
        )


def in_short(_logger: WrappedLogger, _name: str, event: EventDict) -> str:
    """One line for people; tracebacks are in the files."""
    sentence = _sentence(event).splitlines()[0] if event.get("event") else ""
    if len(sentence) > _PEOPLE_READ_CHARACTERS:
        sentence = f"{sentence[:_PEOPLE_READ_CHARACTERS]}..."
    return f"{event.get('timestamp', '')} {event.get('level', ''):7} {sentence}"


def _message(event: EventDict) -> str:
    traceback = event.get("exception")
    return _sentence(event) if traceback is None else f"{_sentence(event)}\n{traceback}"


def _sentence(event: EventDict) -> str:
    """What happened, with the facts; a step's own sentence has them already."""
    text = str(event.get("event", ""))
    if _STEP in event:
        return f"[{event[_PART]}] {text}"
    facts = " ".join(f"{name}={value}" for name, value in event.items() if name not in _NO_FACTS)
    return f"{text} {facts}".rstrip()
