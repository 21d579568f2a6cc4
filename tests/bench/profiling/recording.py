"""Running a program while py-spy samples the stacks of those of its processes that matter."""

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.bench.frame.tools import tool
from tests.bench.profiling.samples import label

#: Between two looks at which processes there are.
_LOOK_SECONDS = 0.2
#: A younger process still loads modules, or is not even Python yet.
_YOUTH_SECONDS = 0.5
#: In which py-spy writes its file when the process has ended.
_WRITE_SECONDS = 60


@dataclass(frozen=True)
class Recording:
    """What was recorded of one process.

    Attributes:
        label: What runs in it.
        file: What py-spy wrote, for speedscope.
    """

    label: str
    file: Path

    def samples(self) -> dict[str, Any]:
        """What is in the file."""
        read: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        return read


def record(command: Sequence[str], folder: Path, wanted: str, *, rate: int) -> list[Recording]:
    """Run a program to its end, and record it or what it starts.

    Args:
        command: The program.
        folder: Where the files go.
        wanted: How the label of a process begins that is recorded.
        rate: Samples a second.

    Raises:
        RuntimeError: Nothing was recorded; py-spy has said why on the standard error.
    """
    # Found before the program runs: it may have to be installed first, and would come too late.
    spy = tool("py-spy")
    spies: dict[int, tuple[subprocess.Popen[bytes], Recording]] = {}
    with subprocess.Popen(command) as program:
        while program.poll() is None:
            for pid, name in _grown_up(program.pid, wanted):
                if pid not in spies:
                    recording = Recording(name, folder / f"{len(spies) + 1}.speedscope.json")
                    spies[pid] = _spy(spy, pid, recording.file, rate), recording
            time.sleep(_LOOK_SECONDS)
    for running, _ in spies.values():
        running.wait(_WRITE_SECONDS)
    made = [recording for _, recording in spies.values() if recording.file.exists()]
    if not made:
        raise RuntimeError(f"nothing was recorded of {len(spies)} processes called {wanted!r}")
    return made


def _grown_up(root: int, wanted: str) -> Iterator[tuple[int, str]]:
    try:
        family = [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
        for process in family:
            name = label(process.cmdline())
            if name.startswith(wanted) and time.time() - process.create_time() >= _YOUTH_SECONDS:
                yield process.pid, name
    except psutil.NoSuchProcess:
        # One ended while it was looked at; the next look does without it.
        return


def _spy(program: str, pid: int, file: Path, rate: int) -> subprocess.Popen[bytes]:
    # Without stopping the process: one that is killed while it is stopped would never end.
    options = ["--nonblocking", "--function", "--format", "speedscope", "--rate", str(rate), "--output", str(file)]
    return subprocess.Popen([program, "record", *options, "--pid", str(pid)], stdout=subprocess.DEVNULL)
