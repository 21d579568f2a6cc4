"""Records as events: made ready once, for all the places that a record goes to."""

import logging
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from structlog.typing import EventDict, Processor
from typing_extensions import override

from worker.logs.short import RECORD

#: The text of an event.
Render = Callable[[EventDict], str]


class Events:
    """Makes the event of a record.

    Args:
        foreign: What is added to the records of libraries; those of structlog have it already.
        last: What each event goes through.
    """

    def __init__(self, foreign: Sequence[Processor], last: Sequence[Processor]) -> None:
        self._foreign = foreign
        self._last = last
        self._made: tuple[logging.LogRecord | None, EventDict] = (None, {})

    def of(self, record: logging.LogRecord) -> EventDict:
        """The record's event; not to be changed, for others are given the same."""
        # One look: another thread may put its own in its place.
        made_of, event = self._made
        if made_of is not record:
            event = self._make(record)
            self._made = record, event
        return event

    def _make(self, record: logging.LogRecord) -> EventDict:
        event, processors = _of_structlog(record), self._last
        if event is None:
            event, processors = _of_library(record), [*self._foreign, *self._last]
        event[RECORD] = record
        for process in processors:
            event = process(None, record.levelname.lower(), event)  # type: ignore[assignment]  # none of them renders
        return event


class EventFormatter(logging.Formatter):
    """A formatter for one place, beside others that share the events."""

    def __init__(self, events: Events, render: Render) -> None:
        super().__init__()
        self._events = events
        self._render = render

    @override
    def format(self, record: logging.LogRecord) -> str:
        return self._render(self._events.of(record))


def _of_structlog(record: logging.LogRecord) -> EventDict | None:
    """What `structlog.stdlib.ProcessorFormatter.wrap_for_formatter` has wrapped."""
    return dict(record.msg) if isinstance(record.msg, dict) and hasattr(record, "_logger") else None


def _of_library(record: logging.LogRecord) -> EventDict:
    event: EventDict = {"event": record.getMessage()}
    if record.exc_info:
        event["exc_info"] = record.exc_info
    return event


def without_record(event: EventDict) -> EventDict:
    """The event's own fields."""
    return {name: value for name, value in event.items() if name != RECORD}


def as_json(event: EventDict) -> str:
    """One line for programs."""
    return str(_JSON(None, "", without_record(event)))


_JSON: Final = structlog.processors.JSONRenderer(ensure_ascii=False)
