"""Who the simulated devices are: enrolled like any other, and kept so that the next simulation goes on with them."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from deploy.simulation.script import FleetScript
from worker.identity import Identity
from worker.uplink.enrolment import enroll

_FILE_NAME = "fleet.jsonl"
#: Requests to enrol at the same time.
_AT_ONCE = 8
_OWNER_ONLY = 0o600


class FleetFile:
    """The identities of simulated devices, one a line; for their owner only."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE_NAME

    def load(self) -> dict[str, Identity]:
        """By name; those of a line that was cut off are left out."""
        if not self._path.exists():
            return {}
        lines = self._path.read_bytes().split(b"\n")
        identities = (Identity.from_json(line) for line in lines[:-1])
        return {identity.name: identity for identity in identities}

    def add(self, identities: Sequence[Identity]) -> None:
        """Write more of them down."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _OWNER_ONLY)
        with os.fdopen(descriptor, "ab") as file:
            file.writelines(identity.to_json().encode() + b"\n" for identity in identities)


def enrolled(
    fleet: FleetScript, file: FleetFile, client: httpx.Client, token_for: Callable[[int], str], batch: int = 500
) -> Iterator[list[Identity]]:
    """The devices of a fleet in batches, those that are not enrolled yet enrolled first.

    Args:
        fleet: The fleet.
        file: Where identities are kept.
        client: Its base URL is the control plane's.
        token_for: Makes a token for so many devices.
        batch: Devices a batch.

    Raises:
        OutriderError: The control plane refuses, or does not answer.
    """
    known = file.load()
    scripts = [fleet.device(number) for number in range(1, fleet.devices + 1)]
    missing = sum(script.name not in known for script in scripts)
    token = token_for(missing) if missing else ""

    def join(number: int) -> Identity:
        script = fleet.device(number)
        return enroll(client, token=token, name=script.name, facts=script.facts())

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="enrol") as pool:
        for start in range(1, fleet.devices + 1, batch):
            numbers = range(start, min(start + batch, fleet.devices + 1))
            new = list(pool.map(join, (n for n in numbers if scripts[n - 1].name not in known)))
            file.add(new)
            known |= {identity.name: identity for identity in new}
            yield [known[scripts[number - 1].name] for number in numbers]
