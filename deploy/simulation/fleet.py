"""Who the simulated devices are: enrolled like any other, and kept so that the next simulation goes on with them."""

import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import httpx
from filelock import FileLock
from structlog import get_logger

from contract.envelopes import SignedEnvelope
from contract.errors import UnavailableError
from deploy.simulation.script import DeviceScript
from worker.identity import Identity
from worker.rules.backoff import wait_after
from worker.uplink.enrolment import enroll

_log = get_logger(__name__)

_FILE_NAME = "fleet.jsonl"
_OWNER_ONLY = 0o600
#: Devices that are enrolled before they are written down.
_BATCH = 100


class FleetFile:
    """The identities of simulated devices, one a line; for their owner only. Several processes may add to it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE_NAME
        self._lock = FileLock(folder / f"{_FILE_NAME}.lock")

    def load(self, names: Collection[str]) -> dict[str, Identity]:
        """Those of these names that are known, by name, each as it was written down last."""
        wanted, trusted = frozenset(names), dict[str, SignedEnvelope]()
        return {
            # What all have in common is kept once.
            identity.name: identity.model_copy(
                update={"trusted_keys": trusted.setdefault(identity.trusted_keys.to_json(), identity.trusted_keys)}
            )
            for identity in self._lines()
            if identity.name in wanted
        }

    def names(self) -> set[str]:
        """Who is known."""
        return {identity.name for identity in self._lines()}

    def add(self, identities: Sequence[Identity]) -> None:
        """Write more of them down."""
        with self._lock:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _OWNER_ONLY)
            with os.fdopen(descriptor, "ab") as file:
                file.writelines(identity.to_json().encode() + b"\n" for identity in identities)

    def _lines(self) -> Iterator[Identity]:
        """All of them; one whose line was cut off is left out."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield Identity.from_json(line)


def enroll_all(
    scripts: Sequence[DeviceScript],
    token: str,
    file: FleetFile,
    clients: Sequence[httpx.Client],
    on_batch: Callable[[int], None],
) -> None:
    """Enrol devices and write them down.

    Args:
        scripts: Those that are not enrolled yet.
        token: Good for all of them.
        file: Where identities are kept.
        clients: Their base URL is the control plane's; each sends one request at a time.
        on_batch: Told how many more there are, again and again.

    Raises:
        OutriderError: The control plane refuses, or does not answer for a long time.
    """
    free: SimpleQueue[httpx.Client] = SimpleQueue()
    for client in clients:
        free.put(client)

    def join(script: DeviceScript) -> Identity:
        client = free.get()
        try:
            return _enroll_patiently(client, token, script)
        finally:
            free.put(client)

    with ThreadPoolExecutor(len(clients), thread_name_prefix="enrol") as pool:
        for start in range(0, len(scripts), _BATCH):
            new = list(pool.map(join, scripts[start : start + _BATCH]))
            file.add(new)
            on_batch(len(new))


def _enroll_patiently(client: httpx.Client, token: str, script: DeviceScript) -> Identity:
    tries = 0
    while True:
        try:
            return enroll(client, token=token, name=script.name, facts=script.facts())
        except UnavailableError as error:
            tries += 1
            wait_seconds = wait_after(tries)
            if wait_seconds is None:
                raise
            _log.warning("enrolment waits", device=script.name, error=str(error), wait_seconds=wait_seconds)
            time.sleep(wait_seconds)
