"""What happens to devices: killed anywhere, power cut, full disk, old image, two agents."""

import random
import shutil
import subprocess
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from contract.exit_statuses import ExitStatus
from contract.phases import PHASES, Phase
from deploy.local.control_parts import program
from deploy.local.polling import wait_until
from tests.faults.apps import Pace
from tests.faults.device import FaultDevice, device
from tests.faults.disk import small_disk, why_not
from tests.faults.ground import Fault, Ground
from tests.faults.hurt_agent import MOMENTS
from tests.faults.row import Row
from tests.faults.site import EAGER, PATIENT
from tests.faults.trial import Trial

_HURT_AGENT = "tests.faults.hurt_agent"
_SECONDS = 60
#: Devices of a long sweep besides the two that are there anyway.
_MORE = 8
_JOBS_PER_KILL = 3
#: A phase of a tiny app takes about this long.
_WITHIN_PHASE_SECONDS = 0.05
#: How many of the random kills take the installers along, and how many hit the agent again while it starts.
_POWER_CUTS = 0.25
_AT_START = 0.1
_START_SECONDS = 2.0


def killed_at_every_phase(ground: Ground) -> Row:
    """kill -9 at exact moments of each phase; the queue and the ledger alone must bring it to its end."""
    ground.site.set_reconciler(PATIENT)
    moments = ("worked", "handed-on") if ground.quick else MOMENTS
    points = [f"{phase.value}:{moment}" for phase in PHASES for moment in moments]
    used = ground.site.folder / "killed-at"
    hooks = {"OUTRIDER_HURT_POINTS": ",".join(points), "OUTRIDER_HURT_USED": str(used)}
    with device(ground.site, "hurt", module=_HURT_AGENT, **hooks) as hurt, ground.trial(6, hurt) as trial:
        _watch_lives(trial, hurt, lives=len(points))
        row = trial.row("device killed at every phase", extra=f"{len(moments)} moments of 11 phases")
        return _counted(row, used)


def killed_at_random(ground: Ground) -> Row:
    """kill -9 at random instants, some of them power cuts that take the installers along; three jobs to a kill."""
    ground.site.set_reconciler(PATIENT)
    with ExitStack() as stack:
        devices = [*ground.devices]
        if not ground.quick:
            devices += [stack.enter_context(device(ground.site, f"sweep-{number}")) for number in range(_MORE)]
        kills = ground.kills // len(devices)
        pace = Pace(installer_seconds=0.05)
        trial = stack.enter_context(ground.trial(_JOBS_PER_KILL * kills, *devices, pace=pace))
        threads = [
            threading.Thread(target=_harass, args=(trial, hit, kills, random.Random(ground.chance.random())))
            for hit in devices
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return trial.row("device killed at random", extra=f"{len(devices)} devices")


def power_cut_mid_install(ground: Ground) -> Row:
    """The device dies with its running installer: the attempt counts, the next one installs."""
    ground.site.set_reconciler(PATIENT)
    with ground.trial(2, pace=Pace(installer_seconds=2)) as trial:
        trial.wait_for_installers()
        for hit in ground.devices:
            trial.inject(hit.cut_power, on=[hit])
        return trial.row("power cut while an installer runs")


def killed_mid_install(ground: Ground) -> Row:
    """The agent dies, its installer lives on: it is waited for and not run again."""
    ground.site.set_reconciler(PATIENT)
    with ground.trial(2, pace=Pace(installer_seconds=3)) as trial:
        trial.wait_for_installers()
        for hit in ground.devices:
            trial.inject(hit.agent.kill, on=[hit])
        return trial.row("device killed while an installer runs")


def disk_full(ground: Ground) -> Row:
    """No byte is free on the agent's disk, at each phase once, for some seconds."""
    ground.site.set_reconciler(PATIENT)
    folder = ground.site.folder / "devices" / "small" / "state"
    phases = (Phase.POLL, Phase.DOWNLOAD, Phase.INSTALL) if ground.quick else PHASES
    points = [f"{phase.value}:begun" for phase in phases]
    used = ground.site.folder / "filled-at"
    hooks = {
        "OUTRIDER_HURT_POINTS": ",".join(points),
        "OUTRIDER_HURT_USED": str(used),
        "OUTRIDER_HURT_DISK": str(folder),
    }
    with (
        small_disk(folder),
        device(ground.site, "small", module=_HURT_AGENT, **hooks) as small,
        ground.trial(12, small) as trial,
    ):
        trial.measure()
        row = trial.row("disk full on the device", extra=f"at the beginning of {len(phases)} phases")
        return _counted(row, used)


def old_image(ground: Ground) -> Row:
    """The device's disk is put back to what it was before; installed apps stay, the agent forgets."""
    ground.site.set_reconciler(EAGER)
    hit = ground.devices[0]
    image = ground.site.folder / "image"
    with ground.trial(3, hit) as first:
        before = first.row("before the image")
        hit.agent.hold()
        shutil.copytree(hit.state, image)
        hit.agent.start()
    with ground.trial(6, hit, pace=Pace(installer_seconds=0.3)) as trial:
        trial.wait_for_phases(25)
        trial.inject(lambda: _put_back(hit, image), on=[hit])
        row = trial.row("device restored from an old image")
    shutil.rmtree(image)
    assert before.is_good, before.problems
    return row


def two_agents(ground: Ground) -> Row:
    """A second agent is started on the device while the first works: it refuses."""
    hit = ground.devices[0]
    with ground.trial(3, hit, pace=Pace(installer_seconds=0.5)) as trial:
        trial.wait_for_installers()
        command = [program("outrider-agent"), "run", "--state-dir", str(hit.state)]
        second = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        trial.injected += 1
        trial.measure([hit])
        row = trial.row("two agents on one device", extra=f"the second ended with {second.returncode}")
    assert second.returncode == ExitStatus.USAGE, second
    return row


def _watch_lives(trial: Trial, hurt: FaultDevice, *, lives: int) -> None:
    """Measure after each death how long it takes until work goes on, until it has died so often or all is done."""
    seen = 0
    while seen < lives and not trial.has_all(hurt):
        if not _has_died(trial, hurt, seen):
            return
        seen = hurt.agent.lives - 1
        trial.measure([hurt])


def _has_died(trial: Trial, hurt: FaultDevice, seen: int) -> bool:
    return wait_until(lambda: hurt.agent.lives > seen + 1 or trial.has_all(hurt), seconds=_SECONDS)


def _harass(trial: Trial, device: FaultDevice, kills: int, chance: random.Random) -> None:
    """Kill a device at instants that spread over all its jobs, starts of the agent included."""
    between = len(trial.apps) * len(PHASES) / kills
    for _ in range(kills):
        trial.wait_for_phases(chance.randint(0, int(between)), on=[device])
        if trial.has_all(device):
            return
        time.sleep(chance.uniform(0, _WITHIN_PHASE_SECONDS))
        trial.inject(device.cut_power if chance.random() < _POWER_CUTS else device.agent.kill, on=[device])
        if chance.random() < _AT_START:
            time.sleep(chance.uniform(0, _START_SECONDS))
            trial.inject(device.agent.kill, on=[device])


def _counted(row: Row, used: Path) -> Row:
    return replace(row, injected=len(used.read_text(encoding="utf-8").split()))


def _put_back(hit: FaultDevice, image: Path) -> None:
    hit.agent.hold()
    shutil.rmtree(hit.state)
    shutil.copytree(image, hit.state)
    hit.agent.start()


DEVICE_FAULTS = (
    Fault("device killed at every phase", killed_at_every_phase),
    Fault("device killed at random", killed_at_random),
    Fault("device killed while an installer runs", killed_mid_install),
    Fault("power cut while an installer runs", power_cut_mid_install),
    Fault("disk full on the device", disk_full, why_not),
    Fault("device restored from an old image", old_image, is_long=True),
    Fault("two agents on one device", two_agents),
)
