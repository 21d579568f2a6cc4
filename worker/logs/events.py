"""Records as events: each made ready once, then told to all the places it goes to."""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from structlog.typing import EventDict, Processor
from typing_extensions import override

#: The text of an event; the record it was made of knows more of the program.
Render = Callable[[EventDict, logging.LogRecord], str]

#: Where processors of structlog look for the record of a library.
_RECORD: Final = "_record"


class Sink(Protocol):
    """What takes the texts of events, one after the other."""

    def write(self, text: str) -> None:
        """Take one."""
        ...

    def close(self) -> None:
        """Take no more."""
        ...


@dataclass(frozen=True)
class Place:
    """A place that events go to.

    Attributes:
        logger: The one whose events it is for; all of them where None.
    """

    sink: Sink
    render: Render
    logger: str | None = None

    def takes(self, record: logging.LogRecord) -> bool:
        """Whether the record's event goes there."""
        return self.logger is None or self.logger == record.name


class EventHandler(logging.Handler):
    """The one handler: what is logged becomes an event, and that goes to each place.

    Args:
        foreign: What is added to the records of libraries; those of structlog have it already.
        last: What each event goes through.
        places: Where it goes.
    """

    def __init__(self, foreign: Sequence[Processor], last: Sequence[Processor], places: Sequence[Place]) -> None:
        super().__init__()
        self._foreign = foreign
        self._last = last
        self._places = places

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Tell all places; one that cannot be written must end neither the agent nor what the others are told."""
        try:
            event = self._event(record)
        except Exception:  # noqa: BLE001  as above
            self.handleError(record)
            return
        for place in self._places:
            if place.takes(record):
                self._tell(place, event, record)

    @override
    def close(self) -> None:
        """Close all places."""
        for place in self._places:
            place.sink.close()
        super().close()

    def _tell(self, place: Place, event: EventDict, record: logging.LogRecord) -> None:
        try:
            place.sink.write(place.render(event, record))
        except Exception:  # noqa: BLE001  as above
            self.handleError(record)

    def _event(self, record: logging.LogRecord) -> EventDict:
        event = _of_structlog(record)
        if event is None:
            event = _through(self._foreign, _of_library(record), record)
            del event[_RECORD]
        return _through(self._last, event, record)


def _through(processors: Sequence[Processor], event: EventDict, record: logging.LogRecord) -> EventDict:
    level = record.levelname.lower()
    for process in processors:
        event = process(None, level, event)  # type: ignore[assignment]  # none of them renders
    return event


def _of_structlog(record: logging.LogRecord) -> EventDict | None:
    """What `structlog.stdlib.ProcessorFormatter.wrap_for_formatter` has wrapped."""
    return dict(record.msg) if isinstance(record.msg, dict) and hasattr(record, "_logger") else None


def _of_library(record: logging.LogRecord) -> EventDict:
    event: EventDict = {"event": record.getMessage(), _RECORD: record}
    if record.exc_info:
        event["exc_info"] = record.exc_info
    return event


def as_json(event: EventDict, _record: logging.LogRecord) -> str:
    """One line for programs."""
    return _JSON.encode(event)


_JSON: Final = json.JSONEncoder(ensure_ascii=False)
