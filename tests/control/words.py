"""Devices' words, taken in within a test's own transaction."""

from datetime import datetime

from sqlalchemy.orm import Session

from contract.report import Report
from contract.uplink import ProgressBatch
from control.database.tables import Device
from control.ingest.taken import Taken
from control.ingest.words import checked_word, take_word


def take_report(session: Session, device: Device, report: Report, now: datetime) -> Taken:
    session.flush()
    return take_word(session, checked_word(device.id, report), now)


def take_progress(session: Session, device: Device, batch: ProgressBatch, now: datetime) -> int:
    session.flush()
    return take_word(session, checked_word(device.id, batch), now).known
