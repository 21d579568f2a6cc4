"""What one deployment took, and a program's share of it, told by the program itself."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.deployers.small_app import SmallApp

_SECONDS = 1800

#: Runs a console script and, when it ends, writes its processor time without and with what it started.
_COUNTING = """
import atexit, json, os, resource, runpy, sys
path, started_by = sys.argv[1], os.getpid()
def write():
    if os.getpid() == started_by:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        with open(path, "w") as file:
            json.dump([usage.ru_utime + usage.ru_stime for usage in used], file)
atexit.register(write)
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@dataclass(frozen=True)
class Cost:
    """Seconds that a deployment to all devices took.

    Attributes:
        wall: On the clock.
        control: Processor time of whoever is in control.
        devices: Processor time of what runs on the devices.
    """

    wall: float
    control: float
    devices: float


#: Brings an app under a name to all homes; the last argument is a new folder of the controller's own.
Deploy = Callable[[SmallApp, str, Sequence[Path], Path], Cost]


@dataclass(frozen=True)
class CountedRun:
    """What a program took: on the clock, its own processor time, and that of all it started."""

    wall: float
    own: float
    started: float


def run_counted(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> CountedRun:
    """Run a Python program in a folder and count what it took.

    Args:
        command: The path of its console script, and arguments.
        folder: Where it runs; what it printed stays here.
        environment: All it sees, beside PATH.

    Raises:
        AssertionError: It failed; with what it printed.
    """
    counted, output = folder / "counted.json", folder / "output.txt"
    python = Path(command[0]).parent / Path(sys.executable).name
    with output.open("wb") as printed:
        began = time.perf_counter()
        done = subprocess.run(
            [str(python), "-c", _COUNTING, str(counted), *command],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder), **environment},
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
        wall = time.perf_counter() - began
    assert done.returncode == 0, output.read_text(errors="replace")[-4000:]
    own, started = json.loads(counted.read_text(encoding="utf-8"))
    return CountedRun(wall, own, started)
