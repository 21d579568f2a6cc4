from pathlib import Path

import pytest

from worker.judgement.machine import Machine
from worker.platform.memory import Contents, MemoryPlatform
from worker.platform.select import this_platform
from worker.processes.environment import Environment


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    folder = tmp_path / "scripts"
    folder.mkdir()
    return folder


@pytest.fixture
def machine(tmp_path: Path, scripts: Path) -> Machine:
    """This machine."""
    return Machine(this_platform(tmp_path), scripts, Environment())


@pytest.fixture
def contents() -> Contents:
    """What the made-up machine holds; tests fill it."""
    return Contents()


@pytest.fixture
def made_up(tmp_path: Path, scripts: Path, contents: Contents) -> Machine:
    """A machine that answers every rule from `contents`."""
    return Machine(MemoryPlatform(tmp_path, contents), scripts, Environment())
