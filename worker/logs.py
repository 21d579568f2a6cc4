"""The agent's log: JSON lines in a file that rotates, and short lines for people on stderr. Secrets never."""

import logging
import logging.handlers
from pathlib import Path
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

FILE_NAME = "agent.jsonl"
#: The original's default (behaviour 2.1).
MAX_FILE_BYTES = 2 * 1024 * 1024
KEPT_FILES = 4

_SHARED: Final[list[Processor]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
#: The HTTP client logs whole URLs, and a presigned one is as good as a key; the queue's end logs each message, and the
#: engine says more of each phase.
_ONLY_WARNINGS = ("httpx", "httpcore", "celery.worker.strategy", "celery.app.trace")
_META = frozenset({"timestamp", "level", "logger", "event", "exception"})


def configure_logs(folder: Path, *, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send everything that is logged, by this program and by libraries, to the file and to people.

    Args:
        folder: Where the file is kept.
        level: What is less than this is not logged.
        stream: Where people read; stderr where None.
    """
    file = logging.handlers.RotatingFileHandler(
        folder / FILE_NAME, maxBytes=MAX_FILE_BYTES, backupCount=KEPT_FILES, encoding="utf-8"
    )
    file.setFormatter(_formatter(structlog.processors.format_exc_info, structlog.processors.JSONRenderer()))
    people = logging.StreamHandler(stream)
    people.setFormatter(_formatter(_short))
    root = logging.getLogger()
    root.handlers = [file, people]
    root.setLevel(level)
    for name in _ONLY_WARNINGS:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )


def _formatter(*last: Processor) -> structlog.stdlib.ProcessorFormatter:
    return structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last], foreign_pre_chain=_SHARED
    )


def _short(_logger: WrappedLogger, _name: str, event: EventDict) -> str:
    facts = " ".join(f"{name}={value}" for name, value in event.items() if name not in _META and name != "exc_info")
    return f"{event.get('timestamp', '')} {event.get('level', ''):7} {event.get('event', '')} {facts}".rstrip()
