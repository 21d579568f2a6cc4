"""Events as text for tools: in the original's envelope."""

import logging
import threading
from datetime import datetime

from structlog.typing import EventDict

from worker.logs.cmtrace import envelope, gravity
from worker.logs.short import sentence


class Envelopes:
    """Renders events as records of one log in the original's envelope."""

    def __init__(self, component: str) -> None:
        self._component = component

    def __call__(self, event: EventDict, record: logging.LogRecord) -> str:
        """The record in its envelope."""
        return envelope(
            _message(event),
            at=datetime.fromtimestamp(record.created).astimezone(),
            component=self._component,
            kind=gravity(record.levelno),
            thread=threading.get_native_id(),
        )


def _message(event: EventDict) -> str:
    traceback = event.get("exception")
    return sentence(event) if traceback is None else f"{sentence(event)}\n{traceback}"
