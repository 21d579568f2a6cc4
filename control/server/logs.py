"""Logs of the control plane's programs: JSON lines on standard error."""

import logging
import sys

import structlog

#: Loggers whose lines tell what the program does; of all others only warnings are of interest.
_TALKATIVE = ("control", "contract", "storage", "celery", "uvicorn")


def configure_logs() -> None:
    """Have every line, our own and the libraries', written as one JSON object."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    # Celery sets the root logger's level to its own liking when a worker starts; these keep theirs.
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.INFO)
