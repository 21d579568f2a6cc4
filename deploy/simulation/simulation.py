"""A simulated fleet in several processes, from the outside."""

import json
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from contract.error_codes import ErrorCode
from contract.errors import OutriderError
from deploy.simulation.script import FleetScript

_END_SECONDS = 30


@dataclass(frozen=True)
class Standing:
    """How a fleet stands.

    Attributes:
        present: Devices that have appeared.
        outcomes: Results by kind, one for each device and app.
    """

    present: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


class _Part:
    """One process, and the last it told."""

    def __init__(self, folder: Path, fleet: FleetScript, numbers: range) -> None:
        module = "deploy.simulation.process"
        command = [sys.executable, "-m", module, str(folder), str(numbers.start), str(numbers.stop - 1)]
        with tempfile.TemporaryFile("w+") as script:
            script.write(fleet.model_dump_json())
            script.seek(0)
            self.process = subprocess.Popen(command, stdin=script, stdout=subprocess.PIPE, text=True)
        self.standing = Standing()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def end(self) -> None:
        """Ask it to end, and wait."""
        self.process.terminate()
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._listener.join()

    def _listen(self) -> None:
        for line in self.process.stdout or ():
            told = json.loads(line)
            self.standing = Standing(told["present"], Counter(told["outcomes"]))


class Simulation:
    """The processes of a fleet."""

    def __init__(self, parts: Sequence[_Part]) -> None:
        self._parts = parts

    def standing(self) -> Standing:
        """How all of it stands.

        Raises:
            OutriderError: STACK_FAILED: one of the processes is gone.
        """
        for part in self._parts:
            if part.process.poll() is not None:
                raise OutriderError(ErrorCode.STACK_FAILED, detail=f"exit status {part.process.returncode}")
        standings = [part.standing for part in self._parts]
        return Standing(
            present=sum(standing.present for standing in standings),
            outcomes=sum((standing.outcomes for standing in standings), Counter()),
        )


@contextmanager
def running(folder: Path, fleet: FleetScript, processes: int) -> Iterator[Simulation]:
    """Simulate enrolled devices in so many processes until the end of the block."""
    share = -(-fleet.devices // processes)
    firsts = range(1, fleet.devices + 1, share)
    parts: list[_Part] = []
    try:
        for first in firsts:
            parts.append(_Part(folder, fleet, range(first, min(first + share, fleet.devices + 1))))  # noqa: PERF401
        yield Simulation(parts)
    finally:
        for part in parts:
            part.end()
