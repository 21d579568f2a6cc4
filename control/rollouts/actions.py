"""Carry out what is done to a rollout: its state changes by the table, and what hangs on it changes with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.catalog.policies import PolicyOffice
from control.catalog.revisions import newest_revision
from control.catalog.rollback import roll_back
from control.database.session import lock_planning
from control.database.tables import App, Rollout
from control.rollouts.admission import withdraw_unsent
from control.rollouts.events import ITSELF, record_event
from control.rollouts.gates import failures
from control.rollouts.holds import target_of
from control.rollouts.joining import fill_rings
from control.rollouts.lookup import lock_rollout, ring_rows
from control.rollouts.results import load_counts
from control.rollouts.spec import RolloutSpec
from control.rollouts.states import RolloutAction, RolloutState, after


@dataclass(frozen=True)
class Order:
    """What is done to a rollout.

    Attributes:
        actor: Who does it.
        reason: Why, in their words or in figures.
        online_since: Devices seen since then count as online.
        policies: Signs the policies of a revision that takes another back.
    """

    action: RolloutAction
    now: datetime
    online_since: datetime
    policies: PolicyOffice
    actor: str = ITSELF
    reason: str = ""


_Effect = Callable[[Session, Rollout, Order], str]


def act(session: Session, rollout_id: str, order: Order) -> tuple[Rollout, bool]:
    """Do it to a rollout; doing what has been done changes nothing.

    Returns:
        The rollout, and whether anything changed.

    Raises:
        InputError: It cannot be done in the state it is in, or there is nothing to roll back to.
    """
    lock_planning(session)
    rollout = lock_rollout(session, rollout_id)
    following = after(rollout.state, order.action, name=rollout.name)
    if following is rollout.state:
        return rollout, False
    effect = _EFFECTS[order.action](session, rollout, order)
    words = "; ".join(part for part in (order.reason, effect) if part)
    rollout.state, rollout.reason, rollout.changed_at = following, words, order.now
    record_event(session, rollout.id, order.action.value, now=order.now, actor=order.actor, detail=words)
    session.flush()
    return rollout, True


def _start(session: Session, rollout: Rollout, order: Order) -> str:
    rollout.started_at = order.now
    return f"{fill_rings(session, rollout, order.now)} devices"


def _hold_back(session: Session, rollout: Rollout, _order: Order) -> str:
    held = withdraw_unsent(session, rollout)
    return f"{held} admitted devices that had nothing of it yet are held again" if held else ""


def _resume(session: Session, rollout: Rollout, order: Order) -> str:
    """Go on; failures that a halted rollout has by now are accepted, or it would halt again at once."""
    if rollout.state is not RolloutState.HALTED:
        return ""
    rings = RolloutSpec.model_validate(rollout.spec).rings
    counts = load_counts(session, rollout, order.online_since)
    accepted = 0
    for ring, row, found in zip(rings, ring_rows(session, rollout.id), counts, strict=True):
        row.accepted_failures = failures(ring.failure, found)
        accepted += row.accepted_failures
    return f"{accepted} failed devices are accepted"


def _cancel(session: Session, rollout: Rollout, order: Order) -> str:
    held = _hold_back(session, rollout, order)
    app = session.get_one(App, rollout.app_id)
    # A pin at 0 deploys nothing: without it the app's first revision would reach every device now.
    app.pinned_revision = rollout.baseline or 0
    rollout.finished_at = order.now
    pinned = (
        f"the app is pinned to revision {rollout.baseline}" if rollout.baseline else "nothing of the app is deployed"
    )
    return "; ".join(part for part in (held, pinned) if part)


def _roll_back(session: Session, rollout: Rollout, order: Order) -> str:
    if rollout.baseline is None:
        detail = "no earlier revision was there; cancel it, or assign the app for uninstall"
        raise InputError(ErrorCode.ROLLOUT_INVALID, place=rollout.name, detail=detail)
    _hold_back(session, rollout, order)
    app = session.get_one(App, rollout.app_id)
    copy = roll_back(session, app, rollout.baseline, policies=order.policies, now=order.now)
    rollout.rollback_revision = copy.number
    return f"revision {copy.number} brings back revision {rollout.baseline}"


def _end(session: Session, rollout: Rollout, order: Order) -> str:
    """Lift what holds are left, but not for a revision that was published meanwhile: it has had no rollout."""
    rollout.finished_at = order.now
    app, reached = session.get_one(App, rollout.app_id), target_of(rollout)
    newest = newest_revision(session, app.id)
    if app.pinned_revision is None and (newest is None or newest.number == reached):
        return ""
    app.pinned_revision = reached
    return f"the app is pinned to revision {reached}"


_EFFECTS: Final[Mapping[RolloutAction, _Effect]] = MappingProxyType(
    {
        RolloutAction.START: _start,
        RolloutAction.PAUSE: _hold_back,
        RolloutAction.RESUME: _resume,
        RolloutAction.HALT: _hold_back,
        RolloutAction.ROLL_BACK: _roll_back,
        RolloutAction.CANCEL: _cancel,
        RolloutAction.FINISH: _end,
        RolloutAction.SETTLE: _end,
    }
)
