"""A device at a control plane, and what is sent to it of apps that are related to each other."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from contract.envelopes import SignedEnvelope
from contract.jobs import JobRef, JobState
from contract.phases import Phase
from contract.policy import Policy
from contract.report import Wait, WaitReason
from contract.states import EnforcementState, Intent, Outcome
from contract.uplink import POLICY_PATH
from control.catalog.assignments import assign
from control.catalog.terms import Terms
from control.database.tables import App, Job
from control.targeting import Mode
from tests.control.plane import Plane, SignedDevice, failed_report_of, progress_of, report_of, retry_at

ENFORCED = {
    Outcome.EVALUATED: EnforcementState.NOT_ATTEMPTED,
    Outcome.NOT_APPLICABLE: EnforcementState.REQUIREMENTS_NOT_MET,
}


@dataclass
class Desk:
    """A plane with one device in one group, and what was sent to the device and not answered."""

    plane: Plane
    device: SignedDevice
    waiting: dict[str, JobRef] = field(default_factory=dict)

    def app(self, name: str, intent: Intent | None = None, **relations: Any) -> None:
        self.plane.publish(name=name, **relations)
        if intent is not None:
            self.plane.assign("desks", intent, app=name)

    def exclude(self, name: str) -> None:
        """Leave the device's group out of the app."""
        with self.plane.services.database.transaction() as session:
            terms = Terms(mode=Mode.EXCLUDE)
            assign(session, name, "desks", Intent.NOT_TARGETED, self.plane.clock.now(), terms=terms)

    def sent(self) -> dict[str, Intent]:
        """What has been sent since it was asked last, by app."""
        new = {self.name_of(ref): ref for _, ref in self.plane.dispatch()}
        self.waiting |= new
        return {name: self.policy(name).intent for name in sorted(new)}

    def ends(self, name: str, outcome: Outcome) -> None:
        """The device's job for the app comes to an end; what follows is planned by what it reports."""
        state = ENFORCED.get(outcome, EnforcementState.SUCCESS)
        report = report_of(self.waiting.pop(name), self.device.device_id, outcome=outcome, enforcement_state=state)
        assert self.device.report(report).status_code == 200

    def fails(self, name: str) -> None:
        ref = self.waiting[name]
        again = retry_at(self.plane.clock.now(), ref)
        report = failed_report_of(ref, self.device.device_id, next_action=again)
        assert self.device.report(report).status_code == 200
        self.waiting[name] = ref.next_attempt()

    def awaits_a_restart(self, name: str) -> None:
        """The device says that it must restart before it goes on with the job."""
        now = self.plane.clock.now()
        wait = Wait(since=now, at=now + timedelta(hours=1), reason=WaitReason.RESTART_PENDING)
        assert self.device.progress(progress_of(self.waiting[name], Phase.POLL, waiting=wait)).status_code == 200
        self.plane.plan()

    def policy(self, name: str) -> Policy:
        reply = self.device.request("GET", POLICY_PATH.format(job_id=self.waiting[name].job_id))
        return Policy.from_json(SignedEnvelope.from_json(reply.content).payload)

    def job(self, name: str) -> Job:
        with self.plane.services.database.snapshot() as session:
            newest = select(Job).join(App, App.id == Job.app_id).where(App.name == name)
            job = session.scalars(newest.order_by(Job.created_at.desc(), Job.generation.desc())).first()
        assert job is not None
        return job

    def shown(self, name: str) -> tuple[JobState, EnforcementState | None]:
        job = self.job(name)
        return job.state, job.enforcement_state

    def name_of(self, ref: JobRef) -> str:
        with self.plane.services.database.snapshot() as session:
            return session.get_one(App, session.get_one(Job, ref.job_id).app_id).name
