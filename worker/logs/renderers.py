"""Events as text: in the envelope for tools, in short for people."""

import threading
from datetime import datetime

from structlog.typing import EventDict, WrappedLogger

from worker.logs.cmtrace import envelope, gravity
from worker.logs.short import sentence, short_line


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
    """One line for people; a structlog processor that ends a chain."""
    return short_line(event)


def _message(event: EventDict) -> str:
    traceback = event.get("exception")
    return sentence(event) if traceback is None else f"{sentence(event)}\n{traceback}"
