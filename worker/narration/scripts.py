"""What is said of scripts, into a log of their own (behaviour L-02, S-21)."""

from collections.abc import Sequence

import structlog

from worker.logs.files import EXECUTOR
from worker.processes.script import ScriptResult

_log = structlog.get_logger(EXECUTOR)

#: How much of what a script prints is logged; a rule's words have less.
_SHOWN_CHARACTERS = 2048


def script_begins(interpreter: Sequence[str], limit_seconds: float) -> None:
    """Say that a script starts."""
    _log.info("script starts", interpreter=" ".join(interpreter), limit_seconds=limit_seconds)


def script_ended(result: ScriptResult) -> None:
    """Say how a script ended and the last of what it printed."""
    _log.info(
        "script ended",
        exit_code=result.exit_code,
        output=result.output[-_SHOWN_CHARACTERS:],
        errors=result.errors[-_SHOWN_CHARACTERS:],
    )


def script_failed(reason: str) -> None:
    """Say that a script could not be run to its end."""
    _log.warning("script failed", reason=reason)
