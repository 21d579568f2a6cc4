"""The bulk rollout of the documentation, as an operator runs it, with fewer devices."""

import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.e2e.conftest import Demo

pytestmark = [pytest.mark.integration, pytest.mark.e2e]

SCRIPT = Path(__file__).parents[2] / "docs/examples/bulk-rollout.sh"
DEVICES = 24
#: It fails on 18 of these 24, so on 6 at least of the 12 in the second ring, whichever the rollout takes.
FAILING = "0.75"
EARLY = "50"
SECONDS = 400


@pytest.mark.timeout(SECONDS + 60)
def test_a_bad_revision_is_halted_in_the_second_ring_and_taken_back(demo: Demo) -> None:
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    wanted = {"DEVICES": str(DEVICES), "EARLY": EARLY, "FAILING": FAILING}
    environment = {**os.environ, **demo.operator.environment, **wanted, "PATH": path}
    done = subprocess.run(
        [SCRIPT],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"The rollout is rolled-back; {DEVICES} of {DEVICES} devices are as wanted" in done.stdout
    admitted = {device.ring for device in demo.client.rollout_devices("bulk r2") if device.admitted_at is not None}
    assert admitted == {"pilot", "early"}, "the last ring never had it"
