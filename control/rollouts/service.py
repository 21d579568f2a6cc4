"""Advance rollouts: look how their devices are doing, decide, and write it down, each in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from control.answers.moment import Moment, this_moment
from control.database.session import lock_planning
from control.database.tables import Role, Rollout, RolloutRing
from control.rollouts.actions import Order, act
from control.rollouts.admission import admit
from control.rollouts.advance import Decision, Step, advance
from control.rollouts.attention import Glance, glance_at, is_stale, may_have_others
from control.rollouts.counts import RingCounts
from control.rollouts.events import ITSELF, record_event
from control.rollouts.joining import follow_assignments
from control.rollouts.lookup import course_of, lock_rollout
from control.rollouts.results import load_counts
from control.rollouts.states import RolloutAction, RolloutState
from control.security.operators import Operator
from control.services import Services

#: Who the audit log names where a rollout changes its state by itself.
_ITSELF: Final = Operator(
    token_id=ITSELF, name=ITSELF, role=Role.OPERATOR, group_ids=frozenset(), source="control plane"
)

_FOLLOWS_ASSIGNMENTS: Final = frozenset({RolloutState.RUNNING, RolloutState.PAUSED, RolloutState.HALTED})
_MOVES: Final = (*_FOLLOWS_ASSIGNMENTS, RolloutState.ROLLING_BACK)

_ACTIONS: Final = {
    Step.HALT: RolloutAction.HALT,
    Step.ROLL_BACK: RolloutAction.ROLL_BACK,
    Step.FINISH: RolloutAction.FINISH,
    Step.SETTLE: RolloutAction.SETTLE,
}


@dataclass(frozen=True)
class Advanced:
    """What came of it.

    Attributes:
        steps: What was decided, in order.
        admitted: The devices that were admitted, by their ids.
        joined: How many devices came late.
    """

    rollout: str
    steps: tuple[Step, ...] = ()
    admitted: tuple[str, ...] = ()
    joined: int = 0

    @property
    def concerns_all(self) -> bool:
        """Whether other jobs are wanted now on more devices than those that were admitted."""
        return bool(set(self.steps) & set(_ACTIONS))


def advance_rollouts(services: Services) -> list[Advanced]:
    """Take every rollout that is under way as far as it gets now."""
    with services.database.snapshot() as session:
        under_way = select(Rollout.id).where(Rollout.state.in_(_MOVES)).order_by(Rollout.created_at, Rollout.id)
        ids = list(session.scalars(under_way))
    return [advance_rollout(services, rollout_id) for rollout_id in ids]


def advance_rollout(services: Services, rollout_id: str) -> Advanced:
    """Take one rollout as far as it gets now, where anything has happened since it was looked at.

    One transaction: a control plane that dies in the middle has done nothing, and one that comes after does it.
    """
    moment = this_moment(services)
    with services.database.snapshot() as session:
        rollout = session.get_one(Rollout, rollout_id)
        if not _is_due(rollout, glance_at(session, rollout, moment), moment):
            return Advanced(rollout.name)
    with services.database.transaction() as session:
        lock_planning(session)
        rollout = lock_rollout(session, rollout_id)
        glance = glance_at(session, rollout, moment)
        joined = _follow(session, rollout, glance, moment)
        counts = load_counts(session, rollout, moment.online_since)
        steps = _take_steps(services, session, rollout, counts, moment)
        is_running = rollout.state is RolloutState.RUNNING
        admitted = admit(session, rollout, moment.now, moment.online_since) if is_running else ()
        rollout.seen_progress = glance.progress
    return Advanced(rollout.name, steps, tuple(admitted), joined)


def _is_due(rollout: Rollout, glance: Glance, moment: Moment) -> bool:
    seen = Glance(rollout.seen_members, rollout.seen_progress)
    return rollout.state in _MOVES and (is_stale(rollout, moment.now) or glance != seen)


def _follow(session: Session, rollout: Rollout, glance: Glance, moment: Moment) -> int:
    """Look whom the rollout is for where that may have changed; how many came."""
    has_changed = glance.members != rollout.seen_members
    if not has_changed and not is_stale(rollout, moment.now):
        return 0
    follows = rollout.state in _FOLLOWS_ASSIGNMENTS and (has_changed or may_have_others(session, rollout))
    rollout.seen_members, rollout.looked_at = glance.members, moment.now
    return follow_assignments(session, rollout, moment.now) if follows else 0


def _take_steps(
    services: Services, session: Session, rollout: Rollout, counts: Sequence[RingCounts], moment: Moment
) -> tuple[Step, ...]:
    """Decide and carry out until there is nothing to decide; a rolled back revision is judged by counts of its own."""
    steps: list[Step] = []
    while (decision := advance(course_of(session, rollout), counts, moment.now)) is not None:
        _carry_out(services, session, rollout, decision, moment)
        steps.append(decision.step)
        if decision.step in _ACTIONS:
            break
    return tuple(steps)


def _carry_out(services: Services, session: Session, rollout: Rollout, decision: Decision, moment: Moment) -> None:
    action = _ACTIONS.get(decision.step)
    if action is None:
        _mark_ring(session, rollout, decision, moment)
        return
    before = {"state": rollout.state}
    order = Order(action, moment.now, moment.online_since, services.policies, reason=decision.words)
    act(session, rollout.id, order)
    after = {"state": rollout.state, "reason": rollout.reason}
    services.audit.record(
        session, _ITSELF, f"rollout.{action}", rollout.name, now=moment.now, before=before, after=after
    )


def _mark_ring(session: Session, rollout: Rollout, decision: Decision, moment: Moment) -> None:
    row = session.get_one(RolloutRing, (rollout.id, decision.ring))
    match decision.step:
        case Step.OPEN_RING:
            row.opened_at = moment.now
        case Step.SOAK:
            row.soak_since = moment.now
        case _:
            row.passed_at = moment.now
    session.flush()
    record_event(session, rollout.id, decision.step.value, now=moment.now, detail=decision.words)
