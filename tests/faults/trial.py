"""A trial: apps on devices, faults meanwhile, and the verdict when everything should have ended."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from contract.errors import OutriderError
from control.views.jobs import JobView
from deploy.local.polling import wait_until
from tests.faults.apps import MARKERS, Pace, publish
from tests.faults.device import FaultDevice
from tests.faults.records import Run, installed_twice, is_installed, lost, without_reason
from tests.faults.row import Row
from tests.faults.site import Site

_numbers = itertools.count(1)

#: Without any change for so long, what is not done will never be.
STANDSTILL_SECONDS = 120.0
_LOOK_SECONDS = 0.5
_RESUME_SECONDS = 120.0
_DEFAULT_PACE = Pace()


@dataclass
class Trial:
    """Jobs under way, and what has been done to them.

    Attributes:
        devices: The devices that the apps are wanted on.
        group: The group they are wanted by.
        apps: The apps' names.
        resumed: How long it took after each fault until work went on, in seconds.
        unreasoned: Jobs that were seen waiting without a reason.
    """

    site: Site
    devices: Sequence[FaultDevice]
    group: str
    apps: Sequence[str]
    injected: int = 0
    resumed: list[float] = field(default_factory=list)
    unreasoned: set[str] = field(default_factory=set)
    began: float = field(default_factory=time.monotonic)

    @property
    def size(self) -> int:
        """How many jobs there are."""
        return len(self.apps) * len(self.devices)

    def jobs(self) -> list[JobView]:
        """The newest job of each device and app; empty while the control plane does not answer."""
        try:
            jobs = list(self.site.client.status(group=self.group))
        except OutriderError:
            return []
        wanted = set(self.apps)
        jobs = [job for job in jobs if job.app in wanted]
        self.unreasoned.update(without_reason(jobs))
        return jobs

    def is_done(self) -> bool:
        """Whether every job ended as it should."""
        jobs = self.jobs()
        return len(jobs) == self.size and all(is_installed(job) for job in jobs)

    def has_all(self, device: FaultDevice) -> bool:
        """Whether each app's marker is on the device."""
        return all((device.home / MARKERS / app).exists() for app in self.apps)

    def ended(self, devices: Sequence[FaultDevice] | None = None) -> int:
        """How many phases have ended on these devices, or on all."""
        return sum(device.phases_ended() for device in (self.devices if devices is None else devices))

    def wait_for_phases(self, count: int, *, on: Sequence[FaultDevice] | None = None) -> None:
        """Wait until so many more phases have ended on these devices, or on all, or all apps are there."""
        devices = self.devices if on is None else on
        goal = self.ended(devices) + count
        wait_until(lambda: self.ended(devices) >= goal or all(map(self.has_all, devices)), seconds=STANDSTILL_SECONDS)

    def wait_for_installers(self) -> None:
        """Wait until an installer of this trial has begun on each device."""
        held = wait_until(lambda: all(self.runs(device) for device in self.devices), seconds=STANDSTILL_SECONDS)
        assert held, f"no installer began; jobs: {self.jobs()}"

    def wait_for_runs(self, device: FaultDevice, count: int) -> None:
        """Wait until so many lines of this trial's installers stand in a device's record, or all apps are there."""
        wait_until(lambda: len(self.runs(device)) >= count or self.has_all(device), seconds=_RESUME_SECONDS)

    def inject(self, fault: Callable[[], object], *, on: Sequence[FaultDevice] | None = None) -> None:
        """Do it, and measure how long work on these devices takes to go on after it has been done."""
        fault()
        self.injected += 1
        self.measure(on)

    def measure(self, on: Sequence[FaultDevice] | None = None) -> None:
        """Measure how long work takes to go on from now, if any is left."""
        devices = self.devices if on is None else on
        before, began = self.ended(devices), time.monotonic()
        wait_until(lambda: self.ended(devices) > before or all(map(self.has_all, devices)), seconds=_RESUME_SECONDS)
        self.resumed.append(time.monotonic() - began)

    def runs(self, device: FaultDevice) -> list[Run]:
        """What this trial's installers wrote down on a device."""
        apps = set(self.apps)
        return [run for run in device.runs() if run.app in apps]

    def row(
        self, fault: str, *, extra: str = "", may_fail: bool = False, standstill_seconds: float = STANDSTILL_SECONDS
    ) -> Row:
        """Wait until everything has ended, or nothing moves any more, and judge."""
        self._settle(standstill_seconds)
        wanted = {device.name: self.apps for device in self.devices}
        twice = [f"{line} ({device.name})" for device in self.devices for line in installed_twice(self.runs(device))]
        return Row(
            fault=fault,
            injected=self.injected,
            jobs=self.size,
            lost=tuple(lost(wanted, self.jobs())),
            twice=tuple(twice),
            resumed_seconds=max(self.resumed, default=None),
            unreasoned=tuple(sorted(self.unreasoned)),
            extra=extra,
            may_fail=may_fail,
            seconds=time.monotonic() - self.began,
        )

    def _settle(self, standstill_seconds: float) -> None:
        moved, last = time.monotonic(), self._pulse()
        while not self.is_done() and time.monotonic() - moved < standstill_seconds:
            time.sleep(_LOOK_SECONDS)
            now = self._pulse()
            if now != last:
                moved, last = time.monotonic(), now

    def _pulse(self) -> object:
        return self.ended(), [(job.id, job.state, job.generation, job.attempt) for job in self.jobs()]


@contextmanager
def trial(
    site: Site, package: str, devices: Sequence[FaultDevice], apps: int, pace: Pace = _DEFAULT_PACE
) -> Iterator[Trial]:
    """So many new apps, wanted on these devices from now on; afterwards the site is calm again."""
    number = next(_numbers)
    group, names = f"trial-{number}", [f"t{number}-{app}" for app in range(apps)]
    site.client.create_group(group)
    for name in names:
        publish(site.client, package, name, group, pace)
    for device in devices:
        site.client.add_member(group, device.name)
    try:
        yield Trial(site, devices, group, names)
    finally:
        site.calm()
