"""Which restart an install asks for, and what is to be done about it when (behaviour B-54, 2.7, 2.10).

| behaviour of the policy | success        | soft reboot        | hard reboot        |
|-------------------------|----------------|--------------------|--------------------|
| based on return code    | none           | due                | due, others wait   |
| allow                   | none           | noted              | noted, others wait |
| suppress                | none           | noted              | noted              |
| force                   | due            | due                | due, others wait   |

"Due" is a restart that the agent makes when the grace period is over; "noted" is one that it leaves to the installer
or to people. "Others wait" is what a hard reboot means: no other app is processed before the device has restarted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Self

from contract.documents import Fragment
from contract.policy import Policy
from contract.states import DeviceRestartBehavior, NotificationLevel, ReturnCodeType
from contract.waits import overshoot
from worker.restart.boot import Boot

_REBOOTS = frozenset({ReturnCodeType.SOFT_REBOOT, ReturnCodeType.HARD_REBOOT})
_LEFT_TO_OTHERS = frozenset({DeviceRestartBehavior.ALLOW, DeviceRestartBehavior.SUPPRESS})
#: A restart that was ordered and did not come, because somebody called it off, is ordered again after this.
ORDER_AGAIN_SECONDS = 3600.0


class PendingRestart(Fragment):
    """A restart that an app waits for.

    Attributes:
        blocks: No other app is processed before it.
        due_at: When the agent makes it; None where it leaves it to others.
        countdown_seconds: How long before that it can no longer be overlooked.
        snooze_seconds: From one reminder to the next.
        announced: Whether people are reminded of it beforehand.
        boot: The start of the machine during which it was noted; a later one has settled it.
    """

    app_id: str
    app_name: str
    noted_at: datetime
    blocks: bool
    due_at: datetime | None
    countdown_seconds: float
    snooze_seconds: float
    announced: bool = True
    boot: Boot

    def as_of(self, now: datetime) -> Self:
        """The same by a clock that may have been set back since; its grace period never longer than it was stated."""
        ahead = overshoot(self.noted_at, now=now)
        due_at = None if self.due_at is None else self.due_at - ahead
        return self.model_copy(update={"noted_at": self.noted_at - ahead, "due_at": due_at})


class Announcement(Fragment):
    """What the person at the device was told.

    Attributes:
        said_at: When it was last said, or put off; None where it was never said.
        remind_at: When to say it again; None like that.
        ordered_at: When the system was last told to restart; None where it was not.
    """

    said_at: datetime | None = None
    remind_at: datetime | None = None
    ordered_at: datetime | None = None

    def again_after(self, seconds: float, *, now: datetime) -> Self:
        """The same once it was said, or put off: the next reminder comes so much later."""
        return self.model_copy(update={"said_at": now, "remind_at": now + timedelta(seconds=seconds)})

    def as_of(self, now: datetime) -> Self:
        """The same by a clock that may have been set back since."""
        update: dict[str, datetime] = {}
        if self.said_at is not None and self.remind_at is not None:
            ahead = overshoot(self.said_at, now=now)
            update |= {"said_at": self.said_at - ahead, "remind_at": self.remind_at - ahead}
        if self.ordered_at is not None:
            update["ordered_at"] = min(self.ordered_at, now)
        return self.model_copy(update=update)


@dataclass(frozen=True)
class RestartPlan:
    """All pending restarts as one.

    Attributes:
        apps: The names of those that wait for it.
        blocks: Whether apps wait for it.
        due: The one with the earliest deadline; None where the agent makes none.
    """

    apps: tuple[str, ...]
    blocks: bool
    due: PendingRestart | None


class Step(Enum):
    """What to do about a restart."""

    WAIT = auto()
    REMIND = auto()
    ORDER = auto()


def restart_wanted(
    policy: Policy, kind: ReturnCodeType | None, *, succeeded: bool, now: datetime, boot: Boot
) -> PendingRestart | None:
    """The restart that an ended install leaves behind; None where it leaves none.

    Args:
        policy: The app's.
        kind: What the exit code meant; None where there was none.
        succeeded: Whether detection agreed. An installer that asks for a restart gets it either way.
        now: When the install ended.
        boot: The present start of the machine.
    """
    behavior = policy.install_experience.device_restart_behavior
    forced = behavior is DeviceRestartBehavior.FORCE and succeeded and kind is not None
    if kind not in _REBOOTS and not forced:
        return None
    settings = policy.restart
    due_at = None if behavior in _LEFT_TO_OTHERS else now + timedelta(seconds=settings.grace_period_seconds)
    return PendingRestart(
        app_id=policy.app_id,
        app_name=policy.app_name,
        noted_at=now,
        blocks=kind is ReturnCodeType.HARD_REBOOT and behavior is not DeviceRestartBehavior.SUPPRESS,
        due_at=due_at,
        countdown_seconds=settings.countdown_seconds,
        snooze_seconds=settings.snooze_seconds,
        announced=policy.notifications is not NotificationLevel.HIDE_ALL,
        boot=boot,
    )


def plan_of(pending: Sequence[PendingRestart]) -> RestartPlan | None:
    """All pending restarts as one: the earliest deadline wins; None where there is none."""
    if not pending:
        return None
    deadlines = [(restart.due_at, restart) for restart in pending if restart.due_at is not None]
    due = min(deadlines, key=lambda pair: pair[0])[1] if deadlines else None
    return RestartPlan(tuple(restart.app_name for restart in pending), any(it.blocks for it in pending), due)


def next_step(due: PendingRestart, said: Announcement, *, now: datetime) -> tuple[Step, float]:
    """What to do now, and in how many seconds to ask again."""
    if due.due_at is None:
        return Step.WAIT, ORDER_AGAIN_SECONDS
    until_countdown = (due.due_at - now).total_seconds() - due.countdown_seconds
    if until_countdown <= 0:
        since_order = None if said.ordered_at is None else (now - said.ordered_at).total_seconds()
        if since_order is None or since_order >= due.countdown_seconds + ORDER_AGAIN_SECONDS:
            return Step.ORDER, due.countdown_seconds + ORDER_AGAIN_SECONDS
        return Step.WAIT, due.countdown_seconds + ORDER_AGAIN_SECONDS - since_order
    if not due.announced:
        return Step.WAIT, until_countdown
    until_reminder = 0.0 if said.remind_at is None else (said.remind_at - now).total_seconds()
    if until_reminder <= 0:
        return Step.REMIND, min(due.snooze_seconds, until_countdown)
    return Step.WAIT, min(until_reminder, until_countdown)


def seconds_to_restart(due: PendingRestart, *, now: datetime) -> float:
    """How long the last countdown is: all of it even where its beginning was missed, as by a device that slept."""
    left = 0.0 if due.due_at is None else (due.due_at - now).total_seconds()
    return max(left, due.countdown_seconds)
