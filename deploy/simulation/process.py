"""One process of a simulated fleet: `python -m deploy.simulation.process FOLDER FIRST LAST`, told its script by stdin.

It writes a line of JSON to stdout about once a second: how many devices are present, and what came of their jobs.
"""

import argparse
import json
import logging
import signal
import sys
import time
from pathlib import Path

import structlog

from deploy.simulation.crowd import Crowd
from deploy.simulation.device import SimulatedDevice
from deploy.simulation.fleet import FleetFile
from deploy.simulation.queues import DeviceQueues
from deploy.simulation.script import FleetScript
from worker.settings import AgentSettings
from worker.uplink.transport import http_client

_TELL_SECONDS = 1.0


def main() -> None:
    """Simulate the devices from FIRST to LAST until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m deploy.simulation.process", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    chosen = parser.parse_args()
    fleet = FleetScript.model_validate_json(sys.stdin.read())
    # What each device does is the control plane's to tell; here only trouble is of interest.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    known = FleetFile(chosen.folder).load()
    scripts = [fleet.device(number) for number in range(chosen.first, chosen.last + 1)]
    identities = [known[script.name] for script in scripts]
    scratch = chosen.folder / "scratch"
    scratch.mkdir(exist_ok=True)
    with http_client(AgentSettings(state_dir=scratch), base_url=identities[0].control_plane_url) as client:
        pairs = zip(identities, scripts, strict=True)
        devices = [SimulatedDevice(identity, script, client, scratch) for identity, script in pairs]
        queues = DeviceQueues(identities[0])
        crowd = Crowd(devices, queues)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: crowd.stop())
        crowd.run(_Teller())
        queues.close()
        for device in devices:
            device.close()


class _Teller:
    """Writes how it stands, now and then."""

    def __init__(self) -> None:
        self._told = 0.0

    def __call__(self, crowd: Crowd) -> None:
        if time.monotonic() - self._told < _TELL_SECONDS:
            return
        self._told = time.monotonic()
        standing = {"present": len(crowd.present()), "outcomes": crowd.outcomes()}
        try:
            sys.stdout.write(json.dumps(standing) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever started the simulation is gone.
            crowd.stop()


if __name__ == "__main__":
    main()
