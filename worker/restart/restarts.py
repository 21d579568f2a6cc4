"""The restarts this device waits for."""

from collections.abc import Callable
from datetime import timedelta

from contract.clock import Clock
from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.policy import Policy
from contract.states import ReturnCodeType
from worker.ledger.restarts import RestartTable
from worker.restart.boot import Boot, this_boot
from worker.restart.rules import Announcement, PendingRestart, RestartPlan, plan_of, restart_wanted


class Restarts:
    """Kept in the ledger, so that only a restart of the machine, and none of the agent, settles them.

    Args:
        table: Where they are kept.
        clock: What time it is.
        boot: Which start of the machine this is.
    """

    def __init__(self, table: RestartTable, clock: Clock, boot: Callable[[], Boot] = this_boot) -> None:
        self._table = table
        self._clock = clock
        self._boot = boot

    def note(self, policy: Policy, kind: ReturnCodeType | None, *, succeeded: bool) -> PendingRestart | None:
        """Note the restart that an ended install leaves behind; None where it leaves none.

        Noting the same once more, as after a kill, keeps the first deadline.
        """
        now, boot = self._clock.now(), self._boot()
        wanted = restart_wanted(policy, kind, succeeded=succeeded, now=now, boot=boot)
        if wanted is None:
            return None
        for known in self._pending():
            if known.app_id == wanted.app_id and not (wanted.blocks and not known.blocks):
                return known
        self._table.put(wanted)
        return wanted

    def plan(self) -> RestartPlan | None:
        """What is pending, as one; None where nothing is, or the machine has restarted."""
        return plan_of(self._pending())

    def announcement(self) -> Announcement:
        """What the person at the device was told."""
        return self._table.announcement().as_of(self._clock.now())

    def announce(self, announcement: Announcement) -> None:
        """Note what the person at the device was told."""
        self._table.set_announcement(announcement)

    def snooze(self) -> Announcement:
        """Put the next reminder off; the deadline stays.

        Raises:
            InputError: RESTART_NOT_PENDING, or RESTART_IMMINENT: the countdown has begun.
        """
        plan, now = self.plan(), self._clock.now()
        if plan is None or plan.due is None or plan.due.due_at is None:
            raise InputError(ErrorCode.RESTART_NOT_PENDING)
        if now >= plan.due.due_at - timedelta(seconds=plan.due.countdown_seconds):
            raise InputError(ErrorCode.RESTART_IMMINENT, detail=f"it is due at {plan.due.due_at.isoformat()}")
        said = self.announcement().again_after(plan.due.snooze_seconds, now=now)
        self.announce(said)
        return said

    def _pending(self) -> list[PendingRestart]:
        noted = self._table.all()
        if not noted:
            return []
        boot, now = self._boot(), self._clock.now()
        pending = [restart.as_of(now) for restart in noted if restart.boot.is_same(boot)]
        if not pending:
            self._table.clear()
        return pending
