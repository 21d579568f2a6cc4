"""The devices and jobs that a transaction hears of, and what it will write about them.

They are read with one statement a table and written with one, as columns: objects that a session watches cost several
times as much.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Row, Select, Table, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from contract.report import PhaseRecord, Progress, Report
from control.database.among import among
from control.database.tables import Device, Job, OrderRow, RelationRow, ReportRow
from control.database.tables.base import NAME_LENGTH
from control.ingest.phases import store_phases
from control.ingest.storable import storable_text
from control.ingest.transitions import JobStatus

_JOB: Final = Job.__table__.c
_DEVICE: Final = Device.__table__.c
_STATUS_FIELDS: Final = tuple(field.name for field in fields(JobStatus))
_REPORT: Final = ReportRow.__table__.c
_REPORT_KEY: Final = ("job_id", "generation", "attempt", "sequence")

_ReportKey = tuple[str, int, int, int]


@dataclass
class HeardJob:
    """A job that a device speaks of.

    Attributes:
        is_for_others: It was made because of another app.
        status: What is known of it by now.
        is_changed: Whether it is to be written.
    """

    id: str
    device_id: str
    app_id: str
    is_for_others: bool
    status: JobStatus
    is_changed: bool = False

    def tell(self, status: JobStatus) -> None:
        """Have it written so, and that it gave a sign of life."""
        self.status = status
        self.is_changed = True


@dataclass
class HeardDevice:
    """A device that speaks.

    Attributes:
        is_changed: Whether it is to be written.
    """

    id: str
    remembers_until: datetime | None
    is_changed: bool = False


class Hearing:
    """One transaction's view; nothing is written before `write`.

    Args:
        session: The transaction.
        device_ids: The devices that speak.
        job_ids: The jobs they speak of.
        reports: The reports among what they say.
        wait: Whether to wait for rows that others have locked; else they are as if they were not there.

    Attributes:
        devices: By id, locked until the transaction ends.
        jobs: By id, locked until the transaction ends; jobs of other devices may be among them.
    """

    def __init__(
        self,
        session: Session,
        device_ids: Collection[str],
        job_ids: Collection[str],
        reports: Sequence[Report],
        *,
        wait: bool,
    ) -> None:
        # Columns go past the session, which would only look whether they are objects.
        self._connection = session.connection()
        devices, jobs = _WAITING if wait else _FREE
        self.devices = {row.id: HeardDevice(*row) for row in self._of(devices, device_ids)}
        self.jobs = {row.id: _heard(row) for row in self._of(jobs, job_ids)}
        self._known = self._known_reports(reports)
        self._related = self._related_apps(reports)
        self._reports: dict[_ReportKey, dict[str, Any]] = {}
        self._phases: list[tuple[Report | Progress, PhaseRecord]] = []
        self._withdrawn: set[str] = set()

    def is_whole(self, device_id: str, job_ids: Collection[str]) -> bool:
        """Whether all of it was there to be locked, and is the device's."""
        return device_id in self.devices and all(
            job_id in self.jobs and self.jobs[job_id].device_id == device_id for job_id in job_ids
        )

    def keep_phase(self, of: Report | Progress, record: PhaseRecord) -> None:
        """Keep a phase's record; a later one of the same attempt and phase takes its place."""
        self._phases.append((of, record))

    def keep_report(self, report: Report, now: datetime) -> None:
        """Keep a report as it came."""
        error = report.error
        self._reports[_key(report)] = {
            "job_id": report.job_id,
            "generation": report.generation,
            "attempt": report.attempt,
            "sequence": report.sequence,
            "body": report.to_json(),
            "error_code": storable_text(error.code, NAME_LENGTH) if error else None,
            "error_number": error.number if error else None,
            "error_phase": error.phase if error else None,
            "received_at": now,
        }

    def is_known(self, report: Report) -> bool:
        """Whether this report was here before."""
        return _key(report) in self._known or _key(report) in self._reports

    def withdraw_order(self, job_id: str) -> None:
        """Its device has let go of the job."""
        self._withdrawn.add(job_id)

    def concerns_others(self, job: HeardJob) -> bool:
        """Whether the job's result may decide what happens to other apps of its device, or they to it."""
        return job.is_for_others or job.app_id in self._related

    def write(self, now: datetime) -> None:
        """Write what has changed."""
        devices = [_device_parameters(one, now) for one in self.devices.values() if one.is_changed]
        jobs = [_parameters(job, now) for job in self.jobs.values() if job.is_changed]
        reports = list(self._reports.values())
        for statement, rows in ((_WRITE_DEVICE, devices), (_WRITE_JOB, jobs), (_ADD_REPORT, reports)):
            if rows:
                self._connection.execute(statement, rows)
        store_phases(self._connection, self._phases)
        if self._withdrawn:
            self._connection.execute(_WITHDRAW, {"ids": sorted(self._withdrawn)})

    def _known_reports(self, reports: Sequence[Report]) -> frozenset[_ReportKey]:
        if not reports:
            return frozenset()
        asked = {
            "ids": sorted({report.job_id for report in reports}),
            "oldest": min(report.generation for report in reports),
        }
        return frozenset(cast("_ReportKey", tuple(row)) for row in self._connection.execute(_KNOWN, asked))

    def _related_apps(self, reports: Sequence[Report]) -> frozenset[str]:
        apps = {self.jobs[report.job_id].app_id for report in reports if report.job_id in self.jobs}
        return frozenset(row[0] for row in self._of(_RELATED_APPS, apps)) if apps else frozenset()

    def _of(self, statement: Select[Any], ids: Collection[str]) -> Iterable[Any]:
        return self._connection.execute(statement, {"ids": sorted(ids)})


def own_job(hearing: Hearing, job_id: str, device_id: str) -> HeardJob:
    """The device's job.

    Raises:
        NotFoundError: There is none, or it is another device's: a device is not told which.
    """
    job = hearing.jobs.get(job_id)
    if job is None or job.device_id != device_id:
        raise NotFoundError(ErrorCode.UNKNOWN_JOB, place=job_id)
    return job


def _key(report: Report) -> _ReportKey:
    return report.job_id, report.generation, report.attempt, report.sequence


def _heard(row: Row[Any]) -> HeardJob:
    is_for_others = row.evaluates_only or row.for_app_id is not None
    return HeardJob(row.id, row.device_id, row.app_id, is_for_others, JobStatus(*row[-len(_STATUS_FIELDS) :]))


def _device_parameters(device: HeardDevice, now: datetime) -> dict[str, Any]:
    return {"of": device.id, "seen": now, "until": device.remembers_until}


def _parameters(job: HeardJob, now: datetime) -> dict[str, Any]:
    status, code = job.status, job.status.error_code
    values = {f"new_{name}": getattr(status, name) for name in _STATUS_FIELDS}
    return values | {
        "of": job.id,
        "new_last_sign_at": now,
        "new_error_detail": storable_text(status.error_detail),
        "new_next_action_detail": storable_text(status.next_action_detail),
        "new_error_code": None if code is None else storable_text(code, NAME_LENGTH),
    }


def _locked(columns: Select[Any], key: ColumnElement[str], *, wait: bool) -> Select[Any]:
    # Always in the same order, so that two transactions never wait for each other.
    return columns.where(among(key, "ids")).order_by(key).with_for_update(skip_locked=not wait, key_share=True)


_RELATED: Final = RelationRow.__table__.c.related_app_id
_RELATED_APPS: Final[Select[Any]] = select(_RELATED).where(among(_RELATED, "ids")).distinct()
_ORDERS: Final = cast("Table", OrderRow.__table__)
_WITHDRAW: Final = delete(_ORDERS).where(among(_ORDERS.c.job_id, "ids"))
#: Of these jobs, which have few, rather than with these keys: a list of whole keys takes longer to write than to read.
_KNOWN: Final[Select[Any]] = select(*(_REPORT[name] for name in _REPORT_KEY)).where(
    among(_REPORT.job_id, "ids"), _REPORT.generation >= bindparam("oldest")
)
_DEVICES: Final[Select[Any]] = select(_DEVICE.id, _DEVICE.remembers_until)
_JOBS: Final[Select[Any]] = select(
    _JOB.id, _JOB.device_id, _JOB.app_id, _JOB.evaluates_only, _JOB.for_app_id, *(_JOB[name] for name in _STATUS_FIELDS)
)
#: Devices and jobs, locked: after whoever has them, or without those that somebody has.
_WAITING, _FREE = (
    (_locked(_DEVICES, _DEVICE.id, wait=wait), _locked(_JOBS, _JOB.id, wait=wait)) for wait in (True, False)
)
_ADD_REPORT: Final = insert(cast("Table", ReportRow.__table__))
_WRITE_JOB: Final = (
    update(cast("Table", Job.__table__))
    .where(_JOB.id == bindparam("of"))
    .values({name: bindparam(f"new_{name}") for name in (*_STATUS_FIELDS, "last_sign_at")})
)
_WRITE_DEVICE: Final = (
    update(cast("Table", Device.__table__))
    .where(_DEVICE.id == bindparam("of"))
    .values(last_seen_at=bindparam("seen"), remembers_until=bindparam("until"))
)
