"""Announcing a pending restart, and ordering it when its time has come."""

from datetime import timedelta

import structlog

from contract.clock import Clock
from worker.housekeeping.duty import NEVER
from worker.notices.notice import restart_notice
from worker.notices.port import Notifier
from worker.restart.restarter import Restarter
from worker.restart.restarts import Restarts
from worker.restart.rules import PendingRestart, RestartPlan, Step, next_step, seconds_to_restart

_log = structlog.get_logger(__name__)

#: A restart that was refused is ordered again after this.
_AFTER_REFUSAL_SECONDS = 3600.0


class RestartDuty:
    """Reminds, then counts down, then restarts; each of them once."""

    def __init__(self, restarts: Restarts, restarter: Restarter, notifier: Notifier, clock: Clock) -> None:
        self._restarts = restarts
        self._restarter = restarter
        self._notifier = notifier
        self._clock = clock

    def turn(self) -> float:
        """See `Duty.turn`."""
        plan = self._restarts.plan()
        if plan is None or plan.due is None:
            return NEVER
        step, seconds = next_step(plan.due, self._restarts.announcement(), now=self._clock.now())
        match step:
            case Step.WAIT:
                return seconds
            case Step.REMIND:
                self._remind(plan, plan.due)
                return seconds
            case Step.ORDER:
                return seconds if self._order(plan, plan.due) else _AFTER_REFUSAL_SECONDS

    def _remind(self, plan: RestartPlan, due: PendingRestart) -> None:
        if due.due_at is not None:
            self._notifier.notify(restart_notice(plan.apps, due.due_at))
        said = self._restarts.announcement()
        self._restarts.announce(said.again_after(due.snooze_seconds, now=self._clock.now()))

    def _order(self, plan: RestartPlan, due: PendingRestart) -> bool:
        now = self._clock.now()
        seconds = seconds_to_restart(due, now=now)
        notice = restart_notice(plan.apps, now + timedelta(seconds=seconds))
        _log.warning("the device restarts", seconds=seconds, apps=plan.apps)
        # Noted before it is ordered: an agent that dies in between must not order it for ever, start by start.
        self._restarts.announce(self._restarts.announcement().model_copy(update={"ordered_at": now}))
        ordered = self._restarter.restart(in_seconds=seconds, message=notice.text)
        if ordered:
            self._notifier.notify(notice)
        return ordered
