"""The agent's logs in a folder of their own."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worker.agent_logs import logging_into


@pytest.fixture
def people() -> io.StringIO:
    """What people read."""
    return io.StringIO()


@pytest.fixture
def folder(tmp_path: Path, people: io.StringIO) -> Iterator[Path]:
    """The folder of the files."""
    with logging_into(tmp_path, people):
        yield tmp_path
