"""One process of a simulated fleet: `python -m deploy.simulation.process FOLDER`, told its part by stdin.

It writes a line of JSON to stdout about once a second: how its devices stand.
"""

import argparse
import gc
import logging
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, Field

from contract.errors import OutriderError
from contract.exit_statuses import ExitStatus
from deploy.simulation.client import DeviceClient
from deploy.simulation.crowd import Crowd
from deploy.simulation.fleet import FleetFile, enroll_all
from deploy.simulation.script import DeviceScript, FleetScript
from deploy.simulation.standing import Standing, total
from worker.identity import Identity

_TELL_SECONDS = 1.0
#: Requests to enrol at the same time; the more there are, the more of them share a transaction.
_ENROLMENTS_AT_ONCE = 16


class PartOrders(BaseModel):
    """What one process is to simulate.

    Attributes:
        fleet: The whole fleet.
        first: The number of its first device, from 1.
        last: The number of its last device.
        url: The control plane's API.
        token: Enrols those of its devices that are not; empty where all are.
    """

    model_config = ConfigDict(frozen=True)

    fleet: FleetScript
    first: int
    last: int
    url: str
    token: str = Field(default="", repr=False)

    def scripts(self) -> list[DeviceScript]:
        """What each of its devices does."""
        return [self.fleet.device(number) for number in range(self.first, self.last + 1)]


def main() -> None:
    """Simulate a part of a fleet until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m deploy.simulation.process", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    orders = PartOrders.model_validate_json(sys.stdin.read())
    # What each device does is the control plane's to tell; here only trouble is of interest.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        file = FleetFile(folder)
        sent = _enroll(orders, file)
        _simulate(orders, file, folder / "scratch", sent)
    except OutriderError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(ExitStatus.FAILED)


def _enroll(orders: PartOrders, file: FleetFile) -> Standing:
    """Enrol those devices that are not; the answer is what was sent for it."""
    scripts = orders.scripts()
    known = file.load([script.name for script in scripts]).keys()
    missing = [script for script in scripts if script.name not in known]
    if not missing:
        return Standing()
    clients = [DeviceClient(orders.url) for _ in range(_ENROLMENTS_AT_ONCE)]
    enrolled = len(known)

    def count(more: int) -> None:
        nonlocal enrolled
        enrolled += more
        _tell(Standing(enrolled=enrolled) + _sent_by(clients))

    enroll_all(missing, orders.token, file, clients, count)
    for client in clients:
        client.close()
    return _sent_by(clients)


def _sent_by(clients: Sequence[DeviceClient]) -> Standing:
    return total(client.traffic.standing() for client in clients)


def _members(orders: PartOrders, file: FleetFile) -> list[tuple[Identity, DeviceScript]]:
    """Who the devices are, and what each does."""
    scripts = orders.scripts()
    known = file.load([script.name for script in scripts])
    return [(known[script.name], script) for script in scripts]


def _simulate(orders: PartOrders, file: FleetFile, scratch: Path, before: Standing) -> None:
    scratch.mkdir(exist_ok=True)
    crowd = Crowd(_members(orders, file), file, orders.url, scratch, before)
    # What was made for the devices stays: looking through all of it again and again finds nothing.
    gc.freeze()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: crowd.stop())
    crowd.run(_Teller())


def _end(*_: object) -> None:
    sys.exit(ExitStatus.OK)


class _Teller:
    """Writes how it stands, now and then."""

    def __init__(self) -> None:
        self._told = 0.0

    def __call__(self, crowd: Crowd) -> None:
        if time.monotonic() - self._told < _TELL_SECONDS:
            return
        self._told = time.monotonic()
        try:
            _tell(crowd.standing())
        except BrokenPipeError:
            # Whoever started the simulation is gone.
            crowd.stop()


def _tell(standing: Standing) -> None:
    sys.stdout.write(standing.model_dump_json() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
