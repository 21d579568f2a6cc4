"""What happens to a device's clock: a day forward, a day back, while it works and while it waits."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.apps import Pace
from tests.faults.device import FaultDevice, device
from tests.faults.ground import Fault, Ground
from tests.faults.row import Row
from tests.faults.site import PATIENT

_LIBRARIES = (
    Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"),
    Path("/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"),
)
_FORWARD, _BACK, _RIGHT = "+1d", "-1d", "+0"
_PERMIT = "permit"


def library() -> Path | None:
    """Debian's libfaketime; None where it is not installed."""
    return next((path for path in _LIBRARIES if sys.platform == "linux" and path.exists()), None)


def forward(ground: Ground) -> Row:
    """The clock goes a day forward while the device works, and is put right again."""
    return _jump(ground, "clock-forward", "clock a day forward and back again", _FORWARD)


def back(ground: Ground) -> Row:
    """The clock goes a day back while the device works, and is put right again."""
    return _jump(ground, "clock-back", "clock a day back and forward again", _BACK)


def _jump(ground: Ground, device_name: str, name: str, offset: str) -> Row:
    ground.site.set_reconciler(PATIENT)
    with _with_own_clock(ground, device_name) as (timed, clock):
        pace = Pace(installer_seconds=0.2, permit=_PERMIT)
        # Half of the attempts fail under the wrong clock, so waits are reckoned with it.
        with ground.trial(4, timed, pace=pace) as trial:
            trial.wait_for_installers()
            clock.write_text(offset)
            trial.wait_for_phases(12)
            clock.write_text(_RIGHT)
            (timed.home / _PERMIT).touch()
            trial.injected += 2
            trial.measure()
            return trial.row(name)


@contextmanager
def _with_own_clock(ground: Ground, name: str) -> Iterator[tuple[FaultDevice, Path]]:
    found = library()
    assert found is not None
    clock = ground.site.folder / f"{name}.txt"
    clock.write_text(_RIGHT)
    variables = {
        "LD_PRELOAD": str(found),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with device(ground.site, name, **variables) as timed:
        yield timed, clock


CLOCK_FAULTS = (
    Fault("clock a day forward and back again", forward),
    Fault("clock a day back and forward again", back),
)
