"""Devices that came back from an old image: what they did since is forgotten on their side, and judged anew."""

from datetime import datetime

from sqlalchemy.orm import Session

from contract.jobs import JobState
from contract.uplink import CheckIn, CheckInReason, GenerationReason
from control.database.tables import Job
from control.dispatch.resend import resend
from control.fleet.visits import Visitor
from control.planning.plan import wanted_jobs
from control.planning.snapshot import load_fleet
from control.planning.standing import fits

#: What a device may have forgotten that it has, or that it has done.
_FORGETTABLE = (JobState.SENT, JobState.RUNNING, JobState.WAITING, JobState.FINISHED)


def note_memory(device: Visitor, message: CheckIn) -> bool:
    """Note what the device remembers, and whether it remembered more before."""
    if message.reason is not CheckInReason.AGENT_RESTART:
        return False
    known, device.remembers_until = device.remembers_until, message.remembers_until
    return known is not None and (message.remembers_until is None or message.remembers_until < known)


def send_forgotten(session: Session, device_id: str, now: datetime) -> None:
    """Send anew what is wanted on a device that has forgotten what it did.

    Generations are raised above all that the old image may know, so nothing in it or in the queue passes for current.
    """
    fleet = load_fleet(session, now, device_id)
    wanted = wanted_jobs(fleet)
    for job in fleet.devices[0].jobs.values():
        due = wanted.get((device_id, job.app_id))
        if due is not None and job.state in _FORGETTABLE and fits(job, due):
            resend(session, session.get_one(Job, job.job_id, with_for_update=True), GenerationReason.RESTORED, now)
