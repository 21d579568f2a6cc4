"""Logging as the agent has it, into a folder of a test's own."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import structlog

from worker.logs.configure import configure_logs
from worker.logs.files import JSON_FILE
from worker.logs.known_secrets import KnownSecrets

#: What the device of these tests must never show.
SECRET = "a broker's s3cret"


@contextmanager
def logging_into(folder: Path, stream: TextIO, *, level_file: Path | None = None) -> Iterator[None]:
    """Log as the agent does for as long as the block runs."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    configure_logs(folder, level_file=level_file or folder / "log-level", secrets=KnownSecrets([SECRET]), stream=stream)
    try:
        yield
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers = before
        root.setLevel(level)
        structlog.reset_defaults()


def json_lines(folder: Path) -> list[dict[str, Any]]:
    """Every event of the file that is written now."""
    return [json.loads(line) for line in (folder / JSON_FILE).read_text(encoding="utf-8").splitlines()]
