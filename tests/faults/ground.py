"""Where faults are tried: a site, a package, devices; and what a fault is."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.apps import Pace, upload_package
from tests.faults.device import FaultDevice, device
from tests.faults.row import Row
from tests.faults.site import Site, running_site
from tests.faults.trial import Trial, trial

#: Random kills of a short and of a long sweep.
QUICK_KILLS, ALL_KILLS = 60, 1000

_DEVICES = 2


@dataclass
class Ground:
    """What every fault is given.

    Attributes:
        package: The digest of the one package.
        content: The folder the package was built from.
        devices: Devices that run the real agent; a fault that needs others makes its own.
        quick: Whether a short run is wanted.
        kills: How many random kills a sweep has.
    """

    site: Site
    package: str
    content: Path
    devices: tuple[FaultDevice, ...]
    quick: bool
    kills: int
    chance: random.Random = field(default_factory=lambda: random.Random(20261121))

    @contextmanager
    def trial(self, apps: int, *devices: FaultDevice, pace: Pace | None = None) -> Iterator[Trial]:
        """So many new apps on these devices, or on all."""
        with trial(self.site, self.package, devices or self.devices, apps, pace or Pace()) as made:
            yield made


@dataclass(frozen=True)
class Fault:
    """A fault by its name.

    Attributes:
        run: Tries it and judges.
        why_not: Why it cannot be tried on this machine; None where it can.
        is_long: Even a short run takes so long that not every run of the tests has it.
    """

    name: str
    run: Callable[[Ground], Row]
    why_not: Callable[[], str | None] = lambda: None
    is_long: bool = False


@contextmanager
def ground(folder: Path, *, quick: bool, kills: int = QUICK_KILLS, database_url: str | None = None) -> Iterator[Ground]:
    """A running site with its devices below `folder`."""
    with ExitStack() as stack:
        site = stack.enter_context(running_site(folder / "site", database_url=database_url))
        package = upload_package(site.client, folder / "package")
        devices = [stack.enter_context(device(site, f"device-{number}")) for number in range(_DEVICES)]
        yield Ground(site, package, folder / "package" / "source", tuple(devices), quick, kills)
