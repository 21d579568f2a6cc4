"""Answers about rollouts."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from control.answers.moment import Moment
from control.answers.pages import PageRequest, few_of, read_page
from control.catalog.revisions import find_app
from control.database.tables import App, Device, Rollout, RolloutDevice, RolloutEvent
from control.rollouts.advance import RingProgress, soaks_until
from control.rollouts.counts import RingCounts, standing_of
from control.rollouts.gates import failure_gate, success_gate
from control.rollouts.lookup import course_of, find_rollout
from control.rollouts.next_words import what_next
from control.rollouts.results import load_counts, result_of, results_query
from control.rollouts.spec import Ring, RolloutSpec
from control.rollouts.states import possible_actions
from control.views.page import Page
from control.views.rollouts import (
    GateView,
    RingView,
    RolloutDetail,
    RolloutDeviceView,
    RolloutEventView,
    RolloutView,
)

#: What the devices of a rollout are ordered by.
_DEVICE_ORDER: Final = (Device.name, Device.id)


def list_rollouts(session: Session, wanted: PageRequest, app: str | None = None) -> Page[RolloutView]:
    """The rollouts, of one app where named, oldest first.

    Raises:
        NotFoundError: There is no such app.
        InputError: The cursor is not one of this list.
    """
    rows = select(Rollout, App.name).join(App, App.id == Rollout.app_id)
    if app is not None:
        rows = rows.where(Rollout.app_id == find_app(session, app).id)
    found, cursor = read_page(session, rows, (Rollout.created_at, Rollout.id), wanted)
    return Page(items=tuple(RolloutView(**_fields(*row)) for row in found), next_cursor=cursor)


def rollout_detail(session: Session, name: str, moment: Moment) -> RolloutDetail:
    """One rollout.

    Raises:
        NotFoundError: There is none of that name or id.
    """
    rollout = find_rollout(session, name)
    course, counts = course_of(session, rollout), load_counts(session, rollout, moment.online_since)
    parts = zip(course.spec.rings, course.rings, counts, strict=True)
    return RolloutDetail(
        **_fields(rollout, session.get_one(App, rollout.app_id).name),
        spec=course.spec,
        rings=tuple(_ring(*part) for part in parts),
        next_action=what_next(course, counts),
        possible=possible_actions(rollout.state),
    )


def rollout_devices(
    session: Session, name: str, moment: Moment, wanted: PageRequest, ring: str | None = None
) -> Page[RolloutDeviceView]:
    """The devices of a rollout by name, of one ring where named.

    Raises:
        NotFoundError: There is no such rollout, or it has no such ring.
        InputError: The cursor is not one of this list.
    """
    rollout = find_rollout(session, name)
    rings = [one.name for one in RolloutSpec.model_validate(rollout.spec).rings]
    own = [RolloutDevice.rollout_id == rollout.id, RolloutDevice.left_at.is_(None)]
    if ring is not None:
        if ring not in rings:
            raise NotFoundError(ErrorCode.UNKNOWN_RING, place=ring, detail=f"its rings are {', '.join(rings)}")
        own.append(RolloutDevice.ring == rings.index(ring))
    found, cursor = read_page(session, select(Device.id).where(_sought(session, own)), _DEVICE_ORDER, wanted)
    these = RolloutDevice.device_id.in_([device_id for (device_id,) in found])
    more = (Device.name, RolloutDevice.joined_at, RolloutDevice.admitted_at)
    rows = results_query(rollout, moment.online_since).add_columns(*more).where(these).order_by(*_DEVICE_ORDER)
    return Page(items=tuple(_device(row, rings[row.ring]) for row in session.execute(rows)), next_cursor=cursor)


def _sought(session: Session, own: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Whether a device is one of those with such a row, in a form that is fast in the order of names."""
    rows = select(RolloutDevice.device_id).where(*own)
    few = few_of(session, rows)
    if few is not None:
        return Device.id.in_(few)
    # Looked up for each device in turn: no database lists all rows first for what depends on the device.
    return rows.where(RolloutDevice.device_id == Device.id).limit(1).scalar_subquery().is_not(None)


def rollout_events(session: Session, name: str, wanted: PageRequest) -> Page[RolloutEventView]:
    """What happened to a rollout, oldest first.

    Raises:
        NotFoundError: There is none of that name or id.
        InputError: The cursor is not one of this list.
    """
    rows = select(RolloutEvent).where(RolloutEvent.rollout_id == find_rollout(session, name).id)
    found, cursor = read_page(session, rows, (RolloutEvent.sequence,), wanted)
    return Page(items=tuple(RolloutEventView.model_validate(event) for (event,) in found), next_cursor=cursor)


def _device(row: Row[Any], ring: str) -> RolloutDeviceView:
    return RolloutDeviceView(
        device_id=row.device_id,
        device=row.name,
        ring=ring,
        standing=standing_of(result_of(row)),
        joined_at=row.joined_at,
        admitted_at=row.admitted_at,
        error_code=row.error_code,
    )


def _fields(rollout: Rollout, app: str) -> dict[str, Any]:
    columns = {column.key: getattr(rollout, column.key) for column in Rollout.__table__.columns}
    return {**{name: value for name, value in columns.items() if name in RolloutView.model_fields}, "app": app}


def _ring(ring: Ring, progress: RingProgress, found: RingCounts) -> RingView:
    success = success_gate(ring.success, found, progress.accepted_failures)
    failure = failure_gate(ring.failure, found, progress.accepted_failures)
    return RingView(
        name=ring.name,
        devices=found.devices,
        standings=dict(found.standings),
        failed=dict(found.failed),
        accepted_failures=progress.accepted_failures,
        opened_at=progress.opened_at,
        soak_since=progress.soak_since,
        soaks_until=None if progress.soak_since is None else soaks_until(ring, progress.soak_since),
        passed_at=progress.passed_at,
        success=GateView(holds=success.holds, words=success.words),
        failure=GateView(holds=failure.holds, words=failure.words),
    )
