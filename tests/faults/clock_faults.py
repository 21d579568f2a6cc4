"""What happens to a device's clock: a day forward, a day back, while it works and while it waits."""

import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.apps import Pace
from tests.faults.device import FaultDevice, device
from tests.faults.ground import Fault, Ground
from tests.faults.row import Row
from tests.faults.site import PATIENT

_SOURCE = Path(__file__).with_suffix("").with_name("clock_shift.c")
_DAY_SECONDS = 86_400
_PERMIT = "permit"


def why_not() -> str | None:
    """Why clocks cannot be shifted on this machine; None where they can."""
    if sys.platform != "linux":
        return "only Linux preloads libraries in this way"
    return None if shutil.which("cc") else "a C compiler is needed to make the shifting library"


def forward(ground: Ground) -> Row:
    """The clock goes a day forward while the device works, and is put right again."""
    return _jump(ground, "clock-forward", "clock a day forward, then right again", _DAY_SECONDS)


def back(ground: Ground) -> Row:
    """The clock goes a day back while the device works, and is put right again."""
    return _jump(ground, "clock-back", "clock a day back, then right again", -_DAY_SECONDS)


def _jump(ground: Ground, device_name: str, name: str, seconds: int) -> Row:
    ground.site.set_reconciler(PATIENT)
    with (
        _with_own_clock(ground, device_name) as (timed, clock),
        # Attempts fail under the wrong clock, so their waits are reckoned with it.
        ground.trial(4, timed, pace=Pace(installer_seconds=0.2, permit=_PERMIT)) as trial,
    ):
        trial.wait_for_installers()
        _shift(clock, seconds)
        trial.injected += 1
        trial.wait_for_runs(timed, 6)
        _shift(clock, 0)
        (timed.home / _PERMIT).touch()
        trial.injected += 1
        trial.measure()
        return trial.row(name)


@contextmanager
def _with_own_clock(ground: Ground, name: str) -> Iterator[tuple[FaultDevice, Path]]:
    library, clock = ground.site.folder / f"{name}.so", ground.site.folder / f"{name}.shift"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(_SOURCE)], check=True)
    _shift(clock, 0)
    with device(ground.site, name, LD_PRELOAD=str(library), CLOCK_SHIFT=str(clock)) as timed:
        yield timed, clock


def _shift(clock: Path, seconds: int) -> None:
    """In place: the agent has the file mapped."""
    with clock.open("r+b" if clock.exists() else "wb") as file:
        file.write(struct.pack("=q", seconds))


CLOCK_FAULTS = (
    Fault("clock a day forward", forward, why_not),
    Fault("clock a day back", back, why_not),
)
