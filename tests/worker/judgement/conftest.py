from pathlib import Path

import pytest

from worker.judgement.machine import Machine
from worker.platform.linux import LinuxPlatform
from worker.processes.environment import Environment


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """This machine, judged as a Linux device."""
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    return Machine(LinuxPlatform(tmp_path), scripts, Environment())
