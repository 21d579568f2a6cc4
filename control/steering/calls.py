"""Calls: devices that operators want to check in now."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.answers.job_filter import JobFilter, conditions
from control.database.conflicts import insert_into
from control.database.session import Database
from control.database.tables import CallRow, Device, GroupMember, Job
from control.dispatch.ports import DeviceCaller
from control.fleet.devices import find_device
from control.fleet.groups import find_group

#: Devices that are called in one go.
_BATCH: Final = 500


def select_devices(session: Session, wanted: JobFilter) -> list[Device]:
    """The devices that are meant: by name or group, and those with jobs of the app or rollout that is named.

    Raises:
        InputError: Nothing is named; the whole fleet is never meant by leaving something out.
        NotFoundError: Something that is named is not there.
    """
    if wanted == JobFilter(group_ids=wanted.group_ids):
        detail = "expected at least one of device, group, app and rollout, or everything"
        raise InputError(ErrorCode.DOCUMENT_INVALID, place="selection", detail=detail)
    rows = select(Device).where(Device.retired_at.is_(None), *_meant(session, wanted)).order_by(Device.id)
    return list(session.scalars(rows))


def ask_for_calls(session: Session, devices: Sequence[Device], now: datetime) -> None:
    """Have these devices called; one that is to be called already is called once.

    Args:
        session: The transaction.
        devices: In the order of their ids, so that two who ask never wait for each other.
        now: The time.
    """
    rows = [{"device_id": device.id, "asked_at": now} for device in devices]
    if rows:
        session.execute(insert_into(CallRow, session.get_bind().dialect.name).on_conflict_do_nothing(), rows)


def call_asked(database: Database, caller: DeviceCaller, to: ColumnElement[bool]) -> int:
    """Call those devices that are to be called and meet a condition on `Device`; how many these were.

    Raises:
        UnavailableError: The broker or the database does not answer; who was not called is called later.
    """
    called = 0
    while True:
        with database.snapshot() as session:
            asked = select(CallRow.device_id).join(Device, Device.id == CallRow.device_id).where(to)
            ids = list(session.scalars(asked.order_by(CallRow.device_id).limit(_BATCH)))
        if not ids:
            return called
        caller.call(ids)
        with database.transaction() as session:
            session.execute(delete(CallRow).where(CallRow.device_id.in_(ids)))
        called += len(ids)


def _meant(session: Session, wanted: JobFilter) -> list[ColumnElement[bool]]:
    found = []
    if wanted.device is not None:
        found.append(Device.id == find_device(session, wanted.device).id)
    if wanted.group is not None:
        found.append(_in_groups([find_group(session, wanted.group).id]))
    if wanted.group_ids is not None:
        found.append(_in_groups(list(wanted.group_ids)))
    if wanted.app is not None or wanted.rollout is not None:
        jobs = conditions(session, JobFilter(app=wanted.app, rollout=wanted.rollout))
        found.append(Device.id.in_(select(Job.device_id).where(*jobs)))
    return found


def _in_groups(group_ids: Sequence[str]) -> ColumnElement[bool]:
    return Device.id.in_(select(GroupMember.device_id).where(GroupMember.group_id.in_(group_ids)))
