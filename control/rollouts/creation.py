"""Make a rollout: from then on its app's devices keep what they have until it reaches them."""

from dataclasses import dataclass
from datetime import datetime
from itertools import chain, count
from typing import Final
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.catalog.revisions import find_app, newest_revision
from control.database.session import lock_planning
from control.database.tables import App, Revision, Rollout, RolloutRing
from control.database.tables.base import NAME_LENGTH
from control.fleet.groups import find_group
from control.rollouts.events import record_event
from control.rollouts.spec import RolloutSpec
from control.rollouts.states import ACTIVE_STATES

#: What of an app's name goes into a rollout's: both are bounded, and a number follows.
_APP_NAME_PART: Final = NAME_LENGTH - 30


@dataclass(frozen=True)
class Intended:
    """What a rollout of an app would deploy.

    Attributes:
        revision: The app's newest.
        baseline: What devices have until it reaches them: the pinned revision, else the one before; None for nothing.
    """

    app: App
    revision: Revision
    baseline: int | None


def intend(session: Session, app: str, revision: int | None, spec: RolloutSpec) -> Intended:
    """What a rollout like this would deploy.

    Args:
        session: The transaction.
        app: The app's name or id.
        revision: Only this one is meant; None for the newest.
        spec: How it would go.

    Raises:
        NotFoundError: The app, or a group that rings or limits name, is not there.
        InputError: It is not the newest revision, it is the only one to be had, or there is nothing to roll back to.
    """
    found = find_app(session, app)
    newest = newest_revision(session, found.id)
    if newest is None:
        raise InputError(ErrorCode.ROLLOUT_INVALID, place=found.name, detail="the app has no revision yet")
    if revision is not None and revision != newest.number:
        detail = f"expected the newest revision, {newest.number}, because a device never goes back; found {revision}"
        raise InputError(ErrorCode.ROLLOUT_INVALID, place="revision", detail=detail)
    for name in {name for ring in spec.rings for name in ring.groups} | set(spec.limits.groups):
        find_group(session, name)
    baseline = _baseline(session, found, newest.number)
    if spec.rollback_on_failure and baseline is None:
        detail = "the app has no earlier revision to roll back to: leave rollback_on_failure out"
        raise InputError(ErrorCode.ROLLOUT_INVALID, place="rollback_on_failure", detail=detail)
    return Intended(found, newest, baseline)


def create_rollout(
    session: Session, app: str, spec: RolloutSpec, *, actor: str, now: datetime, revision: int | None, name: str | None
) -> Rollout:
    """Make a rollout; nothing moves before it is started.

    Raises:
        NotFoundError: See `intend`.
        InputError: See `intend`; or the app has a rollout under way, or the name is taken.
    """
    lock_planning(session)
    intended = intend(session, app, revision, spec)
    _require_none_active(session, intended.app)
    rollout = Rollout(
        id=str(uuid4()),
        name=_name(session, intended, name),
        app_id=intended.app.id,
        revision=intended.revision.number,
        baseline=intended.baseline,
        spec=spec.model_dump(mode="json"),
        created_at=now,
        changed_at=now,
    )
    session.add(rollout)
    session.flush()
    session.add_all(RolloutRing(rollout_id=rollout.id, number=number) for number in range(len(spec.rings)))
    record_event(session, rollout.id, "created", now=now, actor=actor, detail=_held_at(intended.baseline))
    return rollout


def _baseline(session: Session, app: App, newest: int) -> int | None:
    if app.pinned_revision is not None and app.pinned_revision != newest:
        return app.pinned_revision or None
    before = select(func.max(Revision.number)).where(Revision.app_id == app.id, Revision.number < newest)
    return session.scalar(before)


def _require_none_active(session: Session, app: App) -> None:
    active = select(Rollout).where(Rollout.app_id == app.id, Rollout.state.in_(ACTIVE_STATES))
    standing = session.scalar(active)
    if standing is not None:
        detail = f"{standing.name} of {app.name} is {standing.state}"
        raise InputError(ErrorCode.ROLLOUT_ACTIVE, place=standing.name, detail=detail)


def _name(session: Session, intended: Intended, wanted: str | None) -> str:
    """The name that was chosen, or one made of app and revision that no other rollout has."""
    if wanted is not None:
        if _is_taken(session, wanted):
            raise InputError(ErrorCode.NAME_TAKEN, place=wanted)
        return wanted
    plain = f"{intended.app.name[:_APP_NAME_PART]} r{intended.revision.number}"
    names = chain([plain], (f"{plain} ({number})" for number in count(2)))
    return next(name for name in names if not _is_taken(session, name))


def _is_taken(session: Session, name: str) -> bool:
    return session.scalar(select(Rollout.id).where(Rollout.name == name)) is not None


def _held_at(baseline: int | None) -> str:
    return "its devices get nothing yet" if baseline is None else f"its devices are held at revision {baseline}"
