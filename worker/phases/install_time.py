"""The command waits for its time: content is there, and nothing is executed before."""

from contract.maintenance import local
from contract.report import WaitReason
from contract.states import Intent
from worker.phases.context import Deferred, PhaseContext, PhaseFunction, PhaseResult
from worker.rules.install_times import not_yet
from worker.rules.retry import REEVALUATION_SECONDS, seconds_until

_EVENTS = {WaitReason.WINDOW: "it opens", WaitReason.DEADLINE: "it may be run"}


def at_its_time(phase: PhaseFunction) -> PhaseFunction:
    """The phase that runs the command, which waits until it may be.

    What somebody at the device asked for is run at once, and so is a command that has begun: it is judged.
    """

    def timed(context: PhaseContext) -> PhaseResult | Deferred:
        asked_here = context.policy.intent is Intent.AVAILABLE
        has_begun = context.device.ledger.installs.run(context.ref) is not None
        return (None if asked_here or has_begun else _wait(context)) or phase(context)

    return timed


def _wait(context: PhaseContext) -> Deferred | None:
    device, now = context.device, context.device.clock.now()
    zone = device.machine.platform.time_zone()
    waits = not_yet(context.policy.delivery, local(now, zone))
    if waits is None:
        return None
    # A clock or zone that is put right meanwhile must not cost more than one look.
    seconds = min(seconds_until(waits.at, now=now), REEVALUATION_SECONDS)
    detail = f"{_EVENTS[waits.reason]} {waits.at:%A %Y-%m-%d %H:%M} by this device's clock, {zone}"
    return Deferred(waits.reason, seconds, detail)
