"""What happens to the control plane's own processes."""

from collections.abc import Callable

from tests.faults.apps import Pace
from tests.faults.ground import Fault, Ground
from tests.faults.row import Row
from tests.faults.site import EAGER

_PHASES_BETWEEN = 20
_PACE = Pace(installer_seconds=0.2)


def api_killed(ground: Ground) -> Row:
    """kill -9 of the API while devices fetch, report and check in."""
    api = ground.site.parts["api"]

    def kill() -> None:
        api.kill()
        api.wait_ready()

    return _again_and_again(ground, "API killed", [kill])


def workers_killed(ground: Ground) -> Row:
    """kill -9 of each control worker in turn, while they plan and send."""
    return _again_and_again(ground, "each control worker killed", [worker.kill for worker in ground.site.workers])


def scheduler_killed(ground: Ground) -> Row:
    """kill -9 of the scheduler."""
    return _again_and_again(ground, "scheduler killed", [ground.site.parts["scheduler"].kill])


def all_killed(ground: Ground) -> Row:
    """kill -9 of everything but the devices at once, as when the machine of the control plane dies."""
    parts = list(ground.site.parts.values())

    def kill() -> None:
        for part in parts:
            part.kill()
        for part in parts:
            part.wait_ready()

    return _again_and_again(ground, "whole control plane killed at once", [kill], times=1)


def _again_and_again(ground: Ground, name: str, faults: list[Callable[[], object]], *, times: int = 2) -> Row:
    ground.site.set_reconciler(EAGER)
    rounds = times if ground.quick else times * 5
    with ground.trial(3 * rounds * len(faults), pace=_PACE) as trial:
        for _ in range(rounds):
            for fault in faults:
                trial.inject(fault)
                trial.wait_for_phases(_PHASES_BETWEEN)
        return trial.row(name)


CONTROL_FAULTS = (
    Fault("API killed", api_killed),
    Fault("each control worker killed", workers_killed),
    Fault("scheduler killed", scheduler_killed),
    Fault("whole control plane killed at once", all_killed),
)
