"""A part of a simulated fleet in one process: one thread reads the queues, a few take turns for the devices."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from structlog import get_logger

from contract.errors import OutriderError, UnavailableError
from deploy.simulation.agenda import Agenda
from deploy.simulation.device import SimulatedDevice
from deploy.simulation.queues import DeviceQueues

_log = get_logger(__name__)

#: From one look into the queues to the next.
POLL_SECONDS = 0.5
_THREADS = 8
#: From a failed try to the next.
_AGAIN_SECONDS = 2.0


class Crowd:
    """Runs devices until it is told to stop."""

    def __init__(self, devices: Sequence[SimulatedDevice], queues: DeviceQueues) -> None:
        self._devices = {device.identity.device_id: device for device in devices}
        self._queues = queues
        self._agenda: Agenda[str] = Agenda()
        self._stopped = Event()
        self._began = time.monotonic()

    def run(self, on_poll: Callable[["Crowd"], None]) -> None:
        """Run until `stop`; `on_poll` is called after each look into the queues."""
        for device_id, device in self._devices.items():
            self._agenda.put(device_id, self._began + device.starts_after)
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="device") as pool:
            turns = [pool.submit(self._take_turns) for _ in range(_THREADS)]
            try:
                self._read_queues(on_poll)
            finally:
                self.stop()
            for turn in turns:
                turn.result()

    def stop(self) -> None:
        """End at the next chance; a signal's handler may call it."""
        self._stopped.set()
        self._agenda.stop()

    def outcomes(self) -> Counter[str]:
        """How many results of each kind the devices have."""
        return Counter(outcome for device in self._devices.values() for outcome in tuple(device.outcomes.values()))

    def present(self) -> list[SimulatedDevice]:
        """The devices that have appeared by now."""
        elapsed = time.monotonic() - self._began
        return [device for device in self._devices.values() if device.starts_after <= elapsed]

    def _read_queues(self, on_poll: Callable[["Crowd"], None]) -> None:
        is_fresh = False
        while not self._stopped.is_set():
            wait_seconds = POLL_SECONDS
            try:
                if not is_fresh:
                    self._queues.take_back([device.identity for device in self._devices.values()])
                is_fresh = True
                self._read_once()
            except UnavailableError as error:
                _log.warning("the broker does not answer", error=str(error))
                is_fresh, wait_seconds = False, _AGAIN_SECONDS
            on_poll(self)
            self._stopped.wait(wait_seconds)

    def _read_once(self) -> None:
        for identity, raw in self._queues.take([device.identity for device in self.present()]):
            self._devices[identity.device_id].offer(raw)
            self._agenda.put(identity.device_id, time.monotonic())
        # One that is not acknowledged now is taken back later, and the device's ledger knows it.
        self._queues.finish(
            [
                (device.identity, device.finished.popleft())
                for device in self._devices.values()
                for _ in range(len(device.finished))
            ]
        )

    def _take_turns(self) -> None:
        while (device_id := self._agenda.take()) is not None:
            device = self._devices[device_id]
            try:
                wait_seconds = device.turn()
            except OutriderError as error:
                _log.warning("a device stumbled", device=device.identity.name, error=str(error))
                wait_seconds = _AGAIN_SECONDS
            self._agenda.lay_down(device_id, time.monotonic() + wait_seconds)
