"""Progress: where attempts are right now."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.uplink import ProgressBatch
from control.database.tables import Device, Job
from control.ingest.jobs import status_of, write_status
from control.ingest.phases import store_phase
from control.ingest.storable import check_numbers
from control.ingest.transitions import after_progress


def take_progress(session: Session, device: Device, batch: ProgressBatch, now: datetime) -> int:
    """Store a batch; items about jobs that are not this device's are passed over.

    Returns:
        How many items were about jobs of this device.

    Raises:
        DocumentError: A number in it is larger than any column.
    """
    check_numbers(batch)
    device.last_seen_at = now
    ids = {item.job_id for item in batch.items}
    # Always in the same order, so that two transactions never wait for each other.
    own = select(Job).where(Job.id.in_(ids), Job.device_id == device.id).order_by(Job.id).with_for_update()
    jobs = {job.id: job for job in session.scalars(own)}
    known = [item for item in batch.items if item.job_id in jobs]
    for item in known:
        job = jobs[item.job_id]
        write_status(job, after_progress(status_of(job), item, now), now)
        if item.record is not None:
            store_phase(session, item.job_id, item.generation, item.attempt, item.record)
    return len(known)
