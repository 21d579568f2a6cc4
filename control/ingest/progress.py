"""Progress: where attempts are right now."""

from datetime import datetime

from contract.uplink import ProgressBatch
from control.ingest.hearing import Hearing
from control.ingest.taken import Taken
from control.ingest.transitions import after_progress


def take_progress(hearing: Hearing, device_id: str, batch: ProgressBatch, now: datetime) -> Taken:
    """Store a batch; items about jobs that are not this device's are passed over."""
    hearing.devices[device_id].is_changed = True
    jobs = {id_: job for id_, job in hearing.jobs.items() if job.device_id == device_id}
    known = [item for item in batch.items if item.job_id in jobs]
    for item in known:
        job = jobs[item.job_id]
        job.tell(after_progress(job.status, item, now))
        if item.record is not None:
            hearing.keep_phase(item, item.record)
    return Taken(known=len(known))
