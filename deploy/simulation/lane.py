"""Some simulated devices and the one thread that acts for them: they share its ledger desk and its HTTP connections."""

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from structlog import get_logger

from contract.errors import OutriderError
from deploy.simulation.agenda import Agenda
from deploy.simulation.agent import Surroundings
from deploy.simulation.brokers import Brokers
from deploy.simulation.client import DeviceClient, Traffic
from deploy.simulation.desk import LedgerDesk
from deploy.simulation.device import SimulatedDevice
from deploy.simulation.queues import Message
from deploy.simulation.script import DeviceScript
from worker.identity import Identity

_log = get_logger(__name__)

#: From a failed turn to the next.
_AGAIN_SECONDS = 2.0


class Lane:
    """Runs its devices, whoever is due first, until it is told to stop.

    Args:
        base_url: The control plane's.
        scratch: A folder that devices may look at.
        brokers: Where they listen.

    Attributes:
        outcomes: How many results of each kind its devices have.
        stumbles: Turns that ended with an error.
    """

    def __init__(self, base_url: str, scratch: Path, brokers: Brokers) -> None:
        self._client = DeviceClient(base_url)
        self._desk = LedgerDesk()
        self._surroundings = Surroundings(self._desk, self._client, scratch, brokers)
        self._agenda: Agenda[str] = Agenda()
        self._devices: dict[str, SimulatedDevice] = {}
        self.outcomes: Counter[str] = Counter()
        self.stumbles = 0

    @property
    def devices(self) -> Mapping[str, SimulatedDevice]:
        """Its devices by their ids."""
        return self._devices

    @property
    def traffic(self) -> Traffic:
        """What its devices sent and received."""
        return self._client.traffic

    def add(self, identity: Identity, script: DeviceScript, began: float) -> None:
        """Take a device on; `began` is when the simulation did, by the monotonic clock."""
        self._devices[identity.device_id] = SimulatedDevice(identity, script, self._surroundings)
        self._agenda.put(identity.device_id, began + script.starts_after_seconds)

    def offer(self, message: Message) -> None:
        """Hand over what a device has taken; any thread may."""
        self._devices[message.device.device_id].offer(message)
        self._agenda.put(message.device.device_id, time.monotonic())

    def is_elsewhere(self, identity: Identity) -> bool:
        """Whether a device does not yet listen where this identity says."""
        return self._devices[identity.device_id].identity is not identity

    def arrive(self, identity: Identity) -> None:
        """Let a device know that the broker it is to go to lets it in; any thread may."""
        self._devices[identity.device_id].arrive(identity)
        self._agenda.put(identity.device_id, time.monotonic())

    def run(self) -> None:
        """Give the devices their turns until `stop`."""
        while (device_id := self._agenda.take()) is not None:
            wait_seconds = self._turn(self._devices[device_id])
            self._agenda.lay_down(device_id, time.monotonic() + wait_seconds)

    def stop(self) -> None:
        """End at the next chance; any thread may ask."""
        self._agenda.stop()

    def close(self) -> None:
        """Let go of everything; nothing runs any more."""
        self._client.close()
        self._desk.close()

    def _turn(self, device: SimulatedDevice) -> float:
        before = device.outcomes
        try:
            wait_seconds = device.turn()
        except OutriderError as error:
            _log.warning("a device stumbled", device=device.identity.name, error=str(error))
            self.stumbles += 1
            wait_seconds = _AGAIN_SECONDS
        if device.outcomes is not before:
            self.outcomes.subtract(before.values())
            self.outcomes.update(device.outcomes.values())
        return wait_seconds
