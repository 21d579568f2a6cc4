"""Where the embedded store's log goes."""

import logging
import sys
from typing import Any


def to_stderr(
    _conf: dict[str, str],
    _name: str,
    _log_to_console: bool,
    _log_route: str,
    _fmt: str,
    logger: logging.Logger,
    _adapted_logger: Any,
) -> None:
    """Swift's hook for loggers: to standard error in place of the machine's syslog, which is not ours to fill."""
    formatter = logger.handlers[0].formatter if logger.handlers else None
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logger.addHandler(handler)
