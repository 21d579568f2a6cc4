"""A simulated fleet in several processes, from the outside."""

import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

from contract.error_codes import ErrorCode
from contract.errors import OutriderError
from deploy.simulation.process import PartOrders
from deploy.simulation.script import FleetScript
from deploy.simulation.standing import Standing, total

_END_SECONDS = 30


class _Part:
    """One process, and the last it told."""

    def __init__(self, folder: Path, orders: PartOrders) -> None:
        command = [sys.executable, "-m", "deploy.simulation.process", str(folder)]
        with tempfile.TemporaryFile("w+") as told:
            told.write(orders.model_dump_json())
            told.seek(0)
            self.process = subprocess.Popen(command, stdin=told, stdout=subprocess.PIPE, text=True)
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
            self.process.wait()
        self._listener.join()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def _listen(self) -> None:
        for line in self.process.stdout or ():
            self.standing = Standing.model_validate_json(line)


class Simulation:
    """The processes of a fleet."""

    def __init__(self, parts: Sequence[_Part]) -> None:
        self._parts = parts

    @property
    def pids(self) -> list[int]:
        """The processes' ids."""
        return [part.process.pid for part in self._parts]

    def standing(self) -> Standing:
        """How all of it stands.

        Raises:
            OutriderError: STACK_FAILED: one of the processes is gone.
        """
        for part in self._parts:
            if part.process.poll() is not None:
                raise OutriderError(ErrorCode.STACK_FAILED, detail=f"exit status {part.process.returncode}")
        return total(part.standing for part in self._parts)


@contextmanager
def running(
    folder: Path, fleet: FleetScript, processes: int, urls: Sequence[str], token: str = ""
) -> Iterator[Simulation]:
    """Simulate a fleet in so many processes until the end of the block.

    Args:
        folder: Where the identities are kept.
        fleet: The fleet.
        processes: How many processes share its devices.
        urls: Where the control plane's API answers; the processes share them.
        token: Enrols devices that are not; empty where all are.
    """
    share = -(-fleet.devices // processes)
    parts: list[_Part] = []
    try:
        for first, url in zip(range(1, fleet.devices + 1, share), cycle(urls), strict=False):
            last = min(first + share - 1, fleet.devices)
            parts.append(_Part(folder, PartOrders(fleet=fleet, first=first, last=last, url=url, token=token)))
        yield Simulation(parts)
    finally:
        for part in parts:
            part.process.terminate()
        for part in parts:
            part.end()
