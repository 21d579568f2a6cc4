"""Reports: how attempts ended."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import TrustError
from contract.jobs import JobState
from contract.report import Report
from control.database.tables import Device, ReportRow
from control.ingest.jobs import own_job, status_of, write_status
from control.ingest.phases import store_phase
from control.ingest.relations import concerns_others
from control.ingest.storable import check_numbers
from control.ingest.transitions import after_report
from control.live_states import LIVE_STATES
from control.metrics import count_reported_refusal
from control.steering.orders import withdraw_order


@dataclass(frozen=True)
class Taken:
    """What a report was.

    Attributes:
        new: The same report again changes nothing.
        let_go: It ended a job that was being cancelled: something else may be due for its app by now.
        concerns_others: Other apps of the device may wait for what it told.
    """

    new: bool
    let_go: bool = False
    concerns_others: bool = False


def take_report(session: Session, device: Device, report: Report, now: datetime) -> Taken:
    """Store a report and what it changes about its job.

    Raises:
        TrustError: It names another device than the one that signed it.
        NotFoundError: There is no such job of this device.
        DocumentError: A number in it is larger than any column.
    """
    check_numbers(report)
    if report.device_id != device.id:
        detail = "the report names another device than the one that signed it"
        raise TrustError(ErrorCode.SIGNATURE_REFUSED, place=report.job_id, detail=detail)
    device.last_seen_at = now
    if device.remembers_until is not None:
        device.remembers_until = max(device.remembers_until, report.started_at)
    job = own_job(session, report.job_id, device.id)
    key = (report.job_id, report.generation, report.attempt, report.sequence)
    if session.get(ReportRow, key) is not None:
        return Taken(new=False)
    session.add(
        ReportRow(
            job_id=report.job_id,
            generation=report.generation,
            attempt=report.attempt,
            sequence=report.sequence,
            body=report.to_json(),
            received_at=now,
        )
    )
    if report.error is not None:
        count_reported_refusal(report.error.code)
    for record in report.phases:
        store_phase(session, report.job_id, report.generation, report.attempt, record)
    was_cancelling = job.state is JobState.CANCELLING
    write_status(job, after_report(status_of(job), report, now), now)
    if report.next_action is None and report.generation >= job.generation:
        withdraw_order(session, job.id)
    let_go = was_cancelling and job.state not in LIVE_STATES
    return Taken(new=True, let_go=let_go, concerns_others=concerns_others(session, job))
