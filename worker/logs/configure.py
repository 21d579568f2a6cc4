"""Where what is logged goes: three files that rotate, and short lines for people on stderr.

| file                      | for                                             |
|---------------------------|-------------------------------------------------|
| `agent.jsonl`             | programs: every event, a JSON object a line     |
| `ManagementExtension.log` | tools that read the original's: every event     |
| `AgentExecutor.log`       | the same tools: scripts and how they ended      |
"""

import codecs
import logging
from pathlib import Path
from typing import Final, TextIO

import structlog
from structlog.typing import Processor

from worker.logs.cmtrace import LINE_END
from worker.logs.events import EventHandler, Place, as_json
from worker.logs.files import EXECUTOR, EXTENSION, JSON_FILE
from worker.logs.known_secrets import KnownSecrets
from worker.logs.level import WatchedLevel
from worker.logs.people import People, for_people
from worker.logs.redaction import Redactor
from worker.logs.renderers import Envelopes
from worker.logs.rotation import StampedRotatingFile

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
_ENVELOPE_HEAD: Final = codecs.BOM_UTF8


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
    handler = EventHandler(
        _SHARED,
        [structlog.processors.format_exc_info, Redactor(secrets)],
        [
            Place(StampedRotatingFile(folder / JSON_FILE), as_json),
            _tools(folder, EXTENSION),
            _tools(folder, EXECUTOR, logger=EXECUTOR),
            Place(People(stream), for_people),
        ],
    )
    handler.addFilter(WatchedLevel(level_file))
    root = logging.getLogger()
    root.handlers = [handler]
    # The handler's filter decides, because the level may change at any time.
    root.setLevel(logging.DEBUG)
    for name in _ONLY_WARNINGS:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _tools(folder: Path, component: str, *, logger: str | None = None) -> Place:
    file = StampedRotatingFile(folder / f"{component}.log", line_end=LINE_END, head=_ENVELOPE_HEAD)
    return Place(file, Envelopes(component), logger)
