"""A countdown that everything dies around: it neither ends early nor is lost."""

from datetime import UTC, datetime

from contract.jobs import JobState
from deploy.local.polling import wait_until
from tests.faults.apps import Pace
from tests.faults.ground import Fault, Ground
from tests.faults.row import Row
from tests.faults.site import PATIENT

_QUICK_SECONDS = 15.0
_SECONDS = 180.0
_PERMIT = "countdown-permit"
#: The second attempt may begin so much earlier than announced, by rounding.
_EARLY_SECONDS = 1.0
_PATIENCE_SECONDS = 60.0


def survives(ground: Ground) -> Row:
    """An attempt fails; while the next one waits, the device, the broker and the control plane are killed."""
    ground.site.set_reconciler(PATIENT)
    wait = _QUICK_SECONDS if ground.quick else _SECONDS
    hit = ground.devices[0]
    pace = Pace(retry_seconds=wait, permit=_PERMIT)
    with ground.trial(1, hit, pace=pace) as trial:
        waiting = wait_until(
            lambda: any(job.state is JobState.WAITING for job in trial.jobs()), seconds=_PATIENCE_SECONDS
        )
        assert waiting, trial.jobs()
        due = trial.jobs()[0].next_action_at
        assert due is not None
        (hit.home / _PERMIT).touch()
        victims = [hit.agent, *ground.site.parts.values()]
        for victim in victims:
            victim.kill()
        for victim in victims:
            victim.wait_ready()
        trial.injected = len(victims)
        began = wait_until(lambda: len(trial.runs(hit)) > 1, seconds=wait + _PATIENCE_SECONDS)
        late = (datetime.now(UTC) - due).total_seconds()
        assert began, "the countdown was lost"
        assert late > -_EARLY_SECONDS, "the second attempt came before its time"
        trial.resumed.append(max(0.0, late))
        return trial.row("countdown, everything killed meanwhile", extra=f"{wait:g} s")


COUNTDOWN_FAULTS = (Fault("countdown, everything killed meanwhile", survives),)
