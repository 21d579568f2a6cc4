"""Devices that came back from an old image: what they did since is forgotten on their side, and judged anew."""

from datetime import datetime

from sqlalchemy.orm import Session

from contract.jobs import JobState
from contract.uplink import CheckIn, CheckInReason, GenerationReason
from control.database.tables import Device, Job
from control.dispatch.resend import resend
from control.planning.plan import wanted_jobs
from control.planning.snapshot import load_fleet
from control.planning.standing import fits

#: What a device may have forgotten that it has, or that it has done.
_FORGETTABLE = (JobState.SENT, JobState.RUNNING, JobState.WAITING, JobState.FINISHED)


def note_memory(session: Session, device: Device, message: CheckIn, now: datetime) -> bool:
    """Compare what the device remembers with what it remembered before; send anew what is wanted where it forgot.

    Generations are raised above all that the old image may know, so nothing in it or in the queue passes for current.

    Returns:
        Whether it had forgotten something.
    """
    if message.reason is not CheckInReason.AGENT_RESTART:
        return False
    known, device.remembers_until = device.remembers_until, message.remembers_until
    if known is None or (message.remembers_until is not None and message.remembers_until >= known):
        return False
    fleet = load_fleet(session, now, device.id)
    wanted = wanted_jobs(fleet)
    for job in fleet.devices[0].jobs.values():
        due = wanted.get((device.id, job.app_id))
        if due is not None and job.state in _FORGETTABLE and fits(job, due):
            resend(session, session.get_one(Job, job.job_id, with_for_update=True), GenerationReason.RESTORED, now)
    return True
