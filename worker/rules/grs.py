"""When an app that failed may be tried again (behaviour 2.6, B-58, C-09).

The original keeps a time under a hash of the app and its relations: the global re-evaluation schedule, GRS. So does
this device, for every wait after a failure, not only the last and longest one. A job that comes meanwhile, such as one
that the reconciler sends anew, is judged and reported, but nothing is executed.

| what comes                                         | the wait    |
|----------------------------------------------------|-------------|
| the same revision for the same intent              | holds       |
| another revision, another intent                   | ends        |
| an app its user asks for anew (another job)        | ends        |
| a generation that somebody asked for ("retry now") | ends        |
| a clock that was set back to before the failure    | begins anew |
"""

import base64
import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contract.jobs import JobRef
from contract.policy import Policy
from contract.report import ErrorReport, WaitReason
from contract.states import Intent
from contract.waits import overshoot

#: A chain may wake so much before its time: its countdown and the clock are not the same thing.
_EARLY = timedelta(seconds=1)


@dataclass(frozen=True)
class Hold:
    """What is remembered of an app's failed attempts.

    Attributes:
        key: What failed; see `hold_key`.
        ref: The attempt that failed last.
        failures: How many failed in a row, that one included.
        since: When it failed.
        until: Before this nothing is executed.
        reason: Why only then.
        error: What went wrong.
    """

    key: str
    ref: JobRef
    failures: int
    since: datetime
    until: datetime
    reason: WaitReason
    error: ErrorReport | None

    def as_of(self, now: datetime) -> "Hold":
        """The same by a clock that may have been set back since; never longer than it was stated."""
        ahead = overshoot(self.since, now=now)
        return replace(self, since=self.since - ahead, until=self.until - ahead)


def grs_hash(app_id: str, revision: int, intent: Intent) -> str:
    """What the GRS is kept under, 44 characters: another revision or intent has another one."""
    digest = hashlib.sha256(f"{app_id}\n{revision}\n{intent.value}".encode()).digest()
    return base64.b64encode(digest).decode()


def hold_key(policy: Policy, job_id: str) -> str:
    """What a wait belongs to: anything else is tried at once.

    An available app runs because somebody asked for it, so each job of it has a key of its own.
    """
    key = grs_hash(policy.app_id, policy.revision, policy.intent)
    return f"{key} {job_id}" if policy.intent is Intent.AVAILABLE else key


def holds(hold: Hold | None, key: str, ref: JobRef, *, asked_generation: int, now: datetime) -> bool:
    """Whether execution is withheld now.

    Args:
        hold: What is remembered; None for nothing.
        key: What is to be executed.
        ref: The attempt that would execute it.
        asked_generation: The newest generation of its job that somebody asked for; 0 for none.
        now: The time.
    """
    if hold is None or hold.key != key or is_asked_for(hold, ref, asked_generation):
        return False
    return now < hold.as_of(now).until - _EARLY


def failures_in_a_row(hold: Hold | None, key: str, ref: JobRef, *, asked_generation: int) -> int:
    """How many attempts have failed in a row, `ref` included; counting one twice changes nothing."""
    if hold is None or hold.key != key:
        return 1
    if hold.ref == ref:
        return hold.failures
    return 1 if is_asked_for(hold, ref, asked_generation) else hold.failures + 1


def is_asked_for(hold: Hold, ref: JobRef, asked_generation: int) -> bool:
    """Whether somebody has asked for the job since the failure that is remembered."""
    if hold.ref.job_id == ref.job_id:
        return asked_generation > hold.ref.generation
    return asked_generation > 0
