"""Reports: how attempts ended."""

from datetime import datetime

from contract.jobs import JobState
from contract.report import Report
from control.ingest.hearing import Hearing, own_job
from control.ingest.taken import Taken
from control.ingest.transitions import after_report
from control.live_states import LIVE_STATES


def take_report(hearing: Hearing, report: Report, now: datetime) -> Taken:
    """Store a report and what it changes about its job.

    Raises:
        NotFoundError: There is no such job of this device.
    """
    job, device = own_job(hearing, report.job_id, report.device_id), hearing.devices[report.device_id]
    device.is_changed = True
    if device.remembers_until is not None:
        device.remembers_until = max(device.remembers_until, report.started_at)
    if hearing.is_known(report):
        return Taken()
    hearing.keep_report(report, now)
    for record in report.phases:
        hearing.keep_phase(report, record)
    before = job.status
    job.tell(after_report(before, report, now))
    if report.next_action is None and report.generation >= job.status.generation:
        hearing.withdraw_order(job.id)
    let_go = before.state is JobState.CANCELLING and job.status.state not in LIVE_STATES
    return Taken(new=True, let_go=let_go, concerns_others=hearing.concerns_others(job))
