"""What one handler tells several places."""

import logging

import pytest
from structlog.typing import EventDict

from worker.logs.events import EventHandler, Place


class Kept:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.is_closed = False

    def write(self, text: str) -> None:
        self.texts.append(text)

    def close(self) -> None:
        self.is_closed = True


class Full(Kept):
    """A disk without room."""

    def write(self, text: str) -> None:
        raise OSError("no space left")


def _text(event: EventDict, record: logging.LogRecord) -> str:
    return f"{record.levelname} {event['event']}"


@pytest.fixture
def sinks() -> list[Kept]:
    return [Full(), Kept(), Kept()]


@pytest.fixture
def handler(sinks: list[Kept]) -> EventHandler:
    """Tells all sinks what it hears, the last of them only of one logger."""
    return EventHandler(
        [], [], [Place(sink, _text, only) for sink, only in zip(sinks, (None, None, "one"), strict=True)]
    )


def _record(text: str, *arguments: object, logger: str = "one") -> logging.LogRecord:
    return logging.LogRecord(logger, logging.WARNING, "", 0, text, arguments, None)


def test_a_place_that_cannot_be_written_keeps_nothing_from_the_others(
    handler: EventHandler, sinks: list[Kept], capsys: pytest.CaptureFixture[str]
) -> None:
    handler.handle(_record("broker %s", "gone"))
    assert sinks[1].texts == sinks[2].texts == ["WARNING broker gone"]
    assert "no space left" in capsys.readouterr().err


def test_a_place_for_one_logger_hears_nothing_of_another(handler: EventHandler, sinks: list[Kept]) -> None:
    handler.handle(_record("something else", logger="other"))
    assert sinks[1].texts == ["WARNING something else"]
    assert sinks[2].texts == []


def test_a_record_that_cannot_be_said_does_not_end_the_program(
    handler: EventHandler, sinks: list[Kept], capsys: pytest.CaptureFixture[str]
) -> None:
    handler.handle(_record("%d things", "some"))
    assert sinks[1].texts == []
    assert "Logging error" in capsys.readouterr().err


def test_with_the_handler_its_places_are_closed(handler: EventHandler, sinks: list[Kept]) -> None:
    handler.close()
    assert all(sink.is_closed for sink in sinks)
