import sys
from pathlib import Path

import pytest

from worker.platform.generic import GenericPlatform
from worker.platform.port import Platform
from worker.platform.select import this_platform

#: What Windows alone has; the tests in `tests/windows` run these there.
collect_ignore_glob = [] if sys.platform == "win32" else ["test_windows_*.py"]


@pytest.fixture(params=["generic", "native"])
def platform(request: pytest.FixtureRequest, tmp_path: Path) -> Platform:
    """What plain Python answers, and the platform the tests run on: Linux here, Windows there."""
    return GenericPlatform("other", tmp_path) if request.param == "generic" else this_platform(tmp_path)
