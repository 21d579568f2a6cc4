"""A part of a simulated fleet in one process: one thread reads the queues, a few act for the devices."""

import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from threading import Event

from structlog import get_logger

from contract.errors import UnavailableError
from deploy.simulation.lane import Lane
from deploy.simulation.queues import DeviceQueues
from deploy.simulation.script import DeviceScript
from deploy.simulation.standing import Standing, total
from worker.identity import Identity

_log = get_logger(__name__)

#: From one look into the queues to the next, at least.
POLL_SECONDS = 0.5
#: A look that takes longer, with many devices, is followed by a rest of so many times its length.
_REST = 40
_LANES = 4
#: From a failed try to the next.
_AGAIN_SECONDS = 2.0


class Crowd:
    """Runs devices until it is told to stop.

    Args:
        members: Who they are, and what each does.
        queues: The broker's end.
        base_url: The control plane's.
        scratch: A folder that devices may look at.
        before: What was sent and received for them before.
    """

    def __init__(
        self,
        members: Sequence[tuple[Identity, DeviceScript]],
        queues: DeviceQueues,
        base_url: str,
        scratch: Path,
        before: Standing,
    ) -> None:
        self._queues = queues
        self._before = before
        self._stopped = Event()
        self._failure: BaseException | None = None
        self._began = time.monotonic()
        self._lanes = [Lane(base_url, scratch) for _ in range(_LANES)]
        self._lane_of: dict[str, Lane] = {}
        arrivals = sorted(members, key=lambda member: member[1].starts_after_seconds)
        self._arriving = [script.starts_after_seconds for _, script in arrivals]
        self._identities = [identity for identity, _ in arrivals]
        for lane, (identity, script) in zip(cycle(self._lanes), arrivals, strict=False):
            lane.add(identity, script, self._began)
            self._lane_of[identity.device_id] = lane

    def run(self, on_poll: Callable[["Crowd"], None]) -> None:
        """Run until `stop`; `on_poll` is called again and again, from this thread."""
        with ThreadPoolExecutor(_LANES, thread_name_prefix="lane") as pool:
            for lane in self._lanes:
                # A lane that ends by an error ends all: a simulation with fewer devices would be another one.
                pool.submit(lane.run).add_done_callback(self._end_with)
            try:
                self._read_queues(on_poll)
            finally:
                self.stop()
        if self._failure is not None:
            raise self._failure
        for lane in self._lanes:
            lane.close()

    def stop(self) -> None:
        """End at the next chance; a signal's handler may call it."""
        self._stopped.set()
        for lane in self._lanes:
            lane.stop()

    def _end_with(self, run: Future[None]) -> None:
        self._failure = self._failure or run.exception()
        self.stop()

    def standing(self) -> Standing:
        """How the devices stand."""
        present = Standing(enrolled=len(self._identities), present=self._present())
        return total([present, self._before, *map(_standing, self._lanes)])

    def _present(self) -> int:
        """How many devices have appeared by now; they are in the order of their arrival."""
        return bisect_right(self._arriving, time.monotonic() - self._began)

    def _read_queues(self, on_poll: Callable[["Crowd"], None]) -> None:
        is_fresh = False
        while not self._stopped.is_set():
            begun = time.monotonic()
            try:
                if not is_fresh:
                    self._queues.take_back(self._identities)
                is_fresh = True
                self._read_once()
                rest_seconds = max(POLL_SECONDS, (time.monotonic() - begun) * _REST)
            except UnavailableError as error:
                _log.warning("the broker does not answer", error=str(error))
                is_fresh, rest_seconds = False, _AGAIN_SECONDS
            self._rest(rest_seconds, on_poll)

    def _rest(self, seconds: float, on_poll: Callable[["Crowd"], None]) -> None:
        until = time.monotonic() + seconds
        while not self._stopped.is_set() and (left := until - time.monotonic()) > 0:
            on_poll(self)
            self._stopped.wait(min(left, POLL_SECONDS))

    def _read_once(self) -> None:
        for identity, raw in self._queues.take(self._identities[: self._present()]):
            self._lane_of[identity.device_id].offer(identity.device_id, raw)
        # One that is not acknowledged now is taken back later, and the device's ledger knows it.
        finished = [lane.finished.popleft() for lane in self._lanes for _ in range(len(lane.finished))]
        self._queues.finish(finished)


def _standing(lane: Lane) -> Standing:
    of_devices = Standing(
        outcomes=Counter(dict(lane.outcomes)),
        installed_twice=sum(device.machine.has_repeated for device in lane.devices.values()),
        stumbles=lane.stumbles,
    )
    return of_devices + lane.traffic.standing()
