"""Where what is logged goes: three files that rotate, and short lines for people on stderr.

| file                      | for                                             |
|---------------------------|-------------------------------------------------|
| `agent.jsonl`             | programs: every event, a JSON object a line     |
| `ManagementExtension.log` | tools that read the original's: every event     |
| `AgentExecutor.log`       | the same tools: scripts and how they ended      |
"""

import logging
from pathlib import Path
from typing import Final, TextIO

import structlog
from structlog.typing import Processor

from worker.logs.cmtrace import LINE_END
from worker.logs.events import EventFormatter, Events, as_json
from worker.logs.files import EXECUTOR, EXTENSION, JSON_FILE
from worker.logs.known_secrets import KnownSecrets
from worker.logs.level import WatchedLevel
from worker.logs.redaction import Redactor
from worker.logs.renderers import Envelopes
from worker.logs.rotation import StampedRotatingFileHandler
from worker.logs.short import short_line

_SHARED: Final[list[Processor]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
#: The HTTP client logs every request twice over; the queue's end logs each message, and the engine says more of each
#: phase.
_ONLY_WARNINGS: Final = (
    "httpx",
    "httpcore",
    "celery.worker.strategy",
    "celery.app.trace",
    "celery.worker.request",
    "celery.pool",
)
#: Byte order mark and line ends as in the original's files.
_ENVELOPE_ENCODING: Final = "utf-8-sig"


def configure_logs(
    folder: Path, *, level_file: Path, secrets: KnownSecrets | None = None, stream: TextIO | None = None
) -> None:
    """Send everything that is logged, by this program and by libraries, to the files and to people.

    Args:
        folder: Where the files are kept.
        level_file: What is logged at least; it may change while the program runs.
        secrets: Values that must not appear in any of them.
        stream: Where people read; stderr where None.
    """
    events = Events(_SHARED, [structlog.processors.format_exc_info, Redactor(secrets)])
    handlers: list[logging.Handler] = [
        _programs(folder, events),
        _tools(folder, EXTENSION, events),
        _scripts(folder, events),
        _people(stream, events),
    ]
    level = WatchedLevel(level_file)
    for handler in handlers:
        handler.addFilter(level)
    root = logging.getLogger()
    root.handlers = handlers
    # The handlers' filter decides, because the level may change at any time.
    root.setLevel(logging.DEBUG)
    for name in _ONLY_WARNINGS:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _programs(folder: Path, events: Events) -> logging.Handler:
    handler = StampedRotatingFileHandler(folder / JSON_FILE)
    handler.setFormatter(EventFormatter(events, as_json))
    return handler


def _tools(folder: Path, component: str, events: Events) -> logging.Handler:
    path = folder / f"{component}.log"
    handler = StampedRotatingFileHandler(path, line_end=LINE_END, encoding=_ENVELOPE_ENCODING)
    handler.setFormatter(EventFormatter(events, Envelopes(component)))
    return handler


def _scripts(folder: Path, events: Events) -> logging.Handler:
    handler = _tools(folder, EXECUTOR, events)
    handler.addFilter(logging.Filter(EXECUTOR))
    return handler


def _people(stream: TextIO | None, events: Events) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(EventFormatter(events, short_line))
    return handler
