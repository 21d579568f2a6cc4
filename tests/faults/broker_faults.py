"""What happens to the broker and to the line between it and the devices."""

import shutil
from collections.abc import Callable
from dataclasses import replace

from tests.faults.apps import Pace
from tests.faults.ground import Fault, Ground
from tests.faults.row import Row
from tests.faults.site import EAGER, PATIENT

_SLOW_SECONDS = 0.2
#: A connection that nobody said had died is noticed and replaced within this time.
_NOTICED_SECONDS = 40.0
_DRIP_BYTES_PER_SECOND = 4000
#: Work and faults take turns: so many phases on all devices between two faults.
_PHASES_BETWEEN = 30
_PACE = Pace(installer_seconds=0.2)


def killed(ground: Ground) -> Row:
    """kill -9 of the broker, which reads its append-only file when it starts again."""
    broker = ground.site.parts["broker"]

    def kill() -> None:
        broker.kill()
        broker.wait_ready()

    return _again_and_again(ground, "broker killed, append-only file kept", kill, times=3)


def emptied(ground: Ground) -> Row:
    """The broker comes back without any file: every message is gone, the control plane sends anew."""
    ground.site.set_reconciler(EAGER)
    broker = ground.site.parts["broker"]
    times = 1 if ground.quick else 3
    with ground.trial(6 * times, pace=_PACE) as trial:
        for _ in range(times):
            trial.wait_for_phases(_PHASES_BETWEEN)
            broker.hold()
            shutil.rmtree(ground.site.folder / "parts" / "broker" / "data")
            (ground.site.folder / "parts" / "broker" / "data").mkdir()
            broker.start()
            broker.wait_ready()
            trial.injected += 1
            trial.measure()
        return trial.row("broker emptied")


def cut(ground: Ground) -> Row:
    """Every connection between devices and the broker is reset."""
    return _again_and_again(ground, "broker's connections reset", ground.site.broker_link.cut, times=5)


def slow(ground: Ground) -> Row:
    """Each answer of the broker takes long, then comes drop by drop."""
    ground.site.set_reconciler(PATIENT)
    link = ground.site.broker_link
    with ground.trial(2) as trial:
        trial.inject(lambda: link.delay(_SLOW_SECONDS))
        trial.wait_for_phases(_PHASES_BETWEEN)
        link.forward()
        trial.inject(lambda: link.drip(_DRIP_BYTES_PER_SECOND))
        trial.wait_for_phases(_PHASES_BETWEEN)
        link.forward()
        return trial.row("broker slow, broker dripping")


def half_open_idle(ground: Ground) -> Row:
    """A resting device's connection dies and nobody is told; then there is a job."""
    ground.site.set_reconciler(PATIENT)
    ground.site.broker_link.half_open()
    with ground.trial(2) as trial:
        trial.injected += 1
        trial.measure()
        return replace(trial.row("half-open link to the broker, idle"), within_seconds=_NOTICED_SECONDS)


def half_open_mid_install(ground: Ground) -> Row:
    """The connection dies while an installer runs; the time counts from the installer's end."""
    ground.site.set_reconciler(PATIENT)
    with ground.trial(2, pace=Pace(installer_seconds=3)) as trial:
        trial.wait_for_installers()
        ground.site.broker_link.half_open()
        trial.injected += 1
        before = trial.ended()
        # The installer's own phase ends without the broker; what has to get through is the next one.
        trial.wait_for_phases(len(ground.devices))
        assert trial.ended() >= before
        trial.measure()
        return replace(trial.row("half-open link to the broker, mid-install"), within_seconds=_NOTICED_SECONDS)


def _again_and_again(ground: Ground, name: str, fault: Callable[[], object], *, times: int) -> Row:
    ground.site.set_reconciler(PATIENT)
    times = times if ground.quick else times * 4
    with ground.trial(6 * times, pace=_PACE) as trial:
        for _ in range(times):
            trial.wait_for_phases(_PHASES_BETWEEN)
            trial.inject(fault)
        return trial.row(name)


BROKER_FAULTS = (
    Fault("broker killed", killed),
    Fault("broker emptied", emptied),
    Fault("broker's connections reset", cut, is_long=True),
    Fault("broker slow, broker dripping", slow, is_long=True),
    Fault("half-open link to the broker, idle", half_open_idle),
    Fault("half-open link to the broker, mid-install", half_open_mid_install, is_long=True),
)
