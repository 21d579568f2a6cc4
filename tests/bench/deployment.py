"""Deploying the same app of 1 MB to devices of this machine: ours beside pyinfra and ansible-core.

The same six steps everywhere: detect, copy, SHA-256, unpack, install, detect. Nothing of the network is compared:
theirs have local connections, ours a real broker, store and API on loopback, which nobody leaves out. What runs on
devices is told apart everywhere: see `deployers`. All devices share this machine's cores, so wall is mostly the sum
of what all devices compute.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.deployers import with_ansible, with_pyinfra
from tests.bench.deployers.cost import Cost, Deploy
from tests.bench.deployers.small_app import SmallApp, empty_homes, is_installed, make_small_app
from tests.bench.deployers.with_outrider import RunningFleet, running_fleet
from tests.bench.row import Row, Unit

#: In parts of pyinfra's.
AIM_CONTROL = 0.1
AIM_WALL = 1.0

_COUNTS, _QUICK_COUNTS = (20, 100), (5,)
_AREA = "deployment"
_MILLISECONDS = 1e3


def rows(quick: bool) -> Iterator[Row]:
    """For each number of devices what whoever is in control computes, the wall, and what the devices compute."""
    counts = _QUICK_COUNTS if quick else _COUNTS
    with tempfile.TemporaryDirectory(prefix="outrider-bench-") as name:
        folder = Path(name)
        app = make_small_app(folder / "app")
        homes = empty_homes(folder / "devices", max(counts))
        # Before our agents are there: at rest they still cost a little.
        pyinfra = {count: _theirs(with_pyinfra.deploy, app, count, folder / f"pyinfra-{count}") for count in counts}
        ansible = {count: _theirs(with_ansible.deploy, app, count, folder / f"ansible-{count}") for count in counts}
        with running_fleet(folder / "stack", app, homes) as fleet:
            for count in counts:
                yield from _rows(fleet, app, count, pyinfra[count], ansible[count])


def _theirs(deploy: Deploy, app: SmallApp, count: int, folder: Path) -> Cost:
    homes = empty_homes(folder / "devices", count)
    cost = deploy(app, "editor", homes, folder / "controller")
    assert all(is_installed(home, app, "editor") for home in homes), "not every device has it"
    return cost


def _rows(fleet: RunningFleet, app: SmallApp, count: int, pyinfra: Cost, ansible: Cost) -> Iterator[Row]:
    ours = fleet.deploy(count)
    assert all(is_installed(home, app, f"editor-{count}") for home in fleet.homes[:count]), "not every device has it"
    shares = ", ".join(f"{part} {_each(seconds, count):.1f}" for part, seconds in fleet.shares.items())
    shares += f"; at rest {fleet.at_rest * _MILLISECONDS:.0f} ms a second"
    for name, theirs, aims in (("pyinfra", pyinfra, (AIM_CONTROL, AIM_WALL)), ("ansible-core", ansible, (None, None))):
        beside = f"{count} devices beside {name}"
        control = (_each(ours.control, count), _each(theirs.control, count))
        yield Row(_AREA, f"control, each of {beside}", *control, aims[0], shares, unit=Unit.CPU_MILLISECONDS)
        yield Row(_AREA, f"wall, {beside}", ours.wall, theirs.wall, aims[1])
        devices = (_each(ours.devices, count), _each(theirs.devices, count))
        yield Row(_AREA, f"the devices' own work, each of {beside}", *devices, unit=Unit.CPU_MILLISECONDS)


def _each(seconds: float, count: int) -> float:
    """Milliseconds for one device."""
    return seconds / count * _MILLISECONDS
