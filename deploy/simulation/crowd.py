"""A part of a simulated fleet in one process: a thread reads at each broker, a few act for the devices."""

import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle
from pathlib import Path

from deploy.simulation.brokers import Brokers
from deploy.simulation.fleet import FleetFile
from deploy.simulation.lane import Lane
from deploy.simulation.queues import Message
from deploy.simulation.script import DeviceScript
from deploy.simulation.standing import Standing, total
from worker.identity import Identity

_LANES = 4
#: From one call of `on_poll` to the next.
_POLL_SECONDS = 0.5


class Crowd:
    """Runs devices until it is told to stop.

    Args:
        members: Who they are, and what each does.
        file: Where their identities are kept: a device that goes to another broker listens there the next time, too.
        base_url: The control plane's.
        scratch: A folder that devices may look at.
        before: What was sent and received for them before.
    """

    def __init__(
        self,
        members: Sequence[tuple[Identity, DeviceScript]],
        file: FleetFile,
        base_url: str,
        scratch: Path,
        before: Standing,
    ) -> None:
        self._file = file
        self._before = before
        self._is_over = False
        self._failure: BaseException | None = None
        self._began = time.monotonic()
        self._brokers = Brokers(self._let_in, self._offer, self._end_with)
        self._lanes = [Lane(base_url, scratch, self._brokers) for _ in range(_LANES)]
        self._lane_of: dict[str, Lane] = {}
        arrivals = sorted(members, key=lambda member: member[1].starts_after_seconds)
        self._arriving = [script.starts_after_seconds for _, script in arrivals]
        for lane, (identity, script) in zip(cycle(self._lanes), arrivals, strict=False):
            lane.add(identity, script, self._began)
            self._lane_of[identity.device_id] = lane

    def run(self, on_poll: Callable[["Crowd"], None]) -> None:
        """Run until `stop`; `on_poll` is called again and again, from this thread."""
        with self._brokers, ThreadPoolExecutor(_LANES, thread_name_prefix="lane") as pool:
            for lane in self._lanes:
                pool.submit(lane.run).add_done_callback(self._end_with)
            try:
                while not self._is_over:
                    on_poll(self)
                    time.sleep(_POLL_SECONDS)
            finally:
                for lane in self._lanes:
                    lane.stop()
        if self._failure is not None:
            raise self._failure
        for lane in self._lanes:
            lane.close()

    def stop(self) -> None:
        """End at the next chance; without any lock, for a signal's handler may be interrupted by another one."""
        self._is_over = True

    def standing(self) -> Standing:
        """How the devices stand."""
        present = Standing(enrolled=len(self._arriving), present=self._present())
        return total([present, self._before, *map(_standing, self._lanes)])

    def _end_with(self, run: Future[None]) -> None:
        """A thread that ends by an error ends all: a simulation with fewer devices would be another one."""
        self._failure = self._failure or run.exception()
        self.stop()

    def _present(self) -> int:
        """How many devices have appeared by now; they are in the order of their arrival."""
        return bisect_right(self._arriving, time.monotonic() - self._began)

    def _let_in(self, devices: Sequence[Identity]) -> None:
        arrived = [device for device in devices if self._lane_of[device.device_id].is_elsewhere(device)]
        if arrived:
            self._file.add(arrived)
        for device in arrived:
            self._lane_of[device.device_id].arrive(device)

    def _offer(self, message: Message) -> None:
        self._lane_of[message.device.device_id].offer(message)


def _standing(lane: Lane) -> Standing:
    of_devices = Standing(
        outcomes=Counter(dict(lane.outcomes)),
        installed_twice=sum(device.machine.has_repeated for device in lane.devices.values()),
        stumbles=lane.stumbles,
    )
    return of_devices + lane.traffic.standing()
