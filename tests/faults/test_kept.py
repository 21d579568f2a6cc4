"""What keeps processes running in the trials."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.part import Part
from deploy.local.polling import wait_until
from deploy.local.readiness import LogSays
from tests.faults.kept import Kept

SECONDS = 20


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    code = "import os, time; print(os.environ.get('WORD', 'up'), flush=True); time.sleep(600)"
    part = Part(name="sleeper", command=(sys.executable, "-c", code), ready=LogSays(words="up"))
    kept = Kept(part, tmp_path)
    kept.start()
    kept.wait_ready()
    yield kept
    kept.stop()
    assert not kept.is_running


def test_a_killed_process_lives_again(kept: Kept) -> None:
    first = kept.process.pid
    kept.kill()
    assert wait_until(lambda: kept.lives == 2 and kept.is_running, seconds=SECONDS)
    assert kept.process.pid != first


def test_a_held_process_stays_away_until_it_is_started(kept: Kept) -> None:
    kept.hold()
    assert not kept.is_running
    kept.change(WORD="up again")
    kept.start()
    kept.wait_ready()
    assert "up again" in kept.log.read_text()
