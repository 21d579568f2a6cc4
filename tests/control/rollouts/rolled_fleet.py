"""A fleet of device rows under a real control plane, and what its devices say of a rollout."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import select, update

from contract.jobs import JobRef
from contract.report import NextAction, WaitReason
from contract.states import ComplianceState, DetectionState, EnforcementState, Outcome
from control.answers.moment import this_moment
from control.answers.rollouts import rollout_detail
from control.database.tables import Device, GroupMember, Job, Rollout, RolloutDevice, RolloutEvent
from control.rollouts.actions import Order, act
from control.rollouts.counts import Standing
from control.rollouts.creation import create_rollout
from control.rollouts.lookup import find_rollout
from control.rollouts.spec import RolloutSpec
from control.rollouts.states import RolloutAction
from control.views.rollouts import RolloutDetail
from control.work import advance_now
from tests.control.plane import FACTS, Plane, failed_report_of, report_of
from tests.control.words import take_report

GROUP = "desks"

#: What a device says that only looked.
_NOTHING_DONE: Final[dict[str, Any]] = {
    "detection_state": DetectionState.NOT_DETECTED,
    "compliance_state": ComplianceState.NOT_INSTALLED,
    "enforcement_state": EnforcementState.NOT_ATTEMPTED,
    "raw_exit_code": None,
}


def three_rings(**changes: Any) -> RolloutSpec:
    """A tenth, then a half, then the rest; an hour of soak after the first."""
    rings = [
        {"name": "canary", "percent": 10, "soak_seconds": 3600, "success": {"percent": 100}},
        {"name": "early", "percent": 40, "failure": {"percent": 25}},
        {"name": "all"},
    ]
    return RolloutSpec.model_validate({"rings": rings, **changes})


@dataclass
class RolledFleet:
    """Devices that have revision 1 of the small app, while revision 2 is about to be rolled out.

    Attributes:
        ids: The devices, all online.
        reported: What each device has reported for good, by device and generation of job.
    """

    plane: Plane
    ids: list[str] = field(default_factory=list)
    reported: set[tuple[str, int]] = field(default_factory=set)

    def add(self, devices: int, group: str = GROUP, **columns: Any) -> list[str]:
        """Enrol devices into a group."""
        group_id, now = self.plane.group(group), self.plane.clock.now()
        new = [str(uuid4()) for _ in range(devices)]
        with self.plane.services.database.transaction() as session:
            for number, device_id in enumerate(new, start=len(self.ids)):
                fields: dict[str, Any] = {
                    "id": device_id,
                    "name": f"desk-{number:03}",
                    "signing_key": uuid4().bytes,
                    "sealing_key": b"",
                    "facts": FACTS.model_dump(mode="json"),
                    "enrolled_with": "",
                    "enrolled_at": now,
                    "last_seen_at": now,
                }
                session.add(Device(**{**fields, **columns}))
            session.flush()
            session.add_all(GroupMember(group_id=group_id, device_id=device_id, added_at=now) for device_id in new)
        self.ids += new
        return new

    def join_group(self, group: str, device_ids: Iterable[str]) -> None:
        """Put devices into one more group."""
        group_id = self.plane.group(group)
        with self.plane.services.database.transaction() as session:
            now = self.plane.clock.now()
            session.add_all(GroupMember(group_id=group_id, device_id=one, added_at=now) for one in device_ids)

    def create(self, spec: RolloutSpec, name: str | None = None) -> str:
        """Make a rollout of the newest revision; its id."""
        with self.plane.services.database.transaction() as session:
            now = self.plane.clock.now()
            return create_rollout(session, "Editor", spec, actor="test", now=now, revision=None, name=name).id

    def act(self, rollout_id: str, action: RolloutAction, reason: str = "") -> None:
        """Do something to a rollout."""
        moment, services = this_moment(self.plane.services), self.plane.services
        order = Order(action, moment.now, moment.online_since, services.policies, actor="test", reason=reason)
        with services.database.transaction() as session:
            act(session, rollout_id, order)

    def started(self, spec: RolloutSpec) -> str:
        """Make a rollout and start it; its id."""
        rollout_id = self.create(spec)
        self.act(rollout_id, RolloutAction.START)
        return rollout_id

    def turn(self, *, failing: Callable[[str], bool] = lambda _: False) -> None:
        """One round: the rollout advances, jobs are planned and sent, and each online device reports what it got."""
        self.step()
        self.answer(failing=failing)

    def step(self) -> list[tuple[str, JobRef]]:
        """Advance, plan, send; what was sent."""
        advance_now(self.plane.services)
        self.plane.plan()
        return self.plane.dispatch()

    def answer(self, *, failing: Callable[[str], bool] = lambda _: False, final: bool = True) -> None:
        """Let every device that was sent something say what came of it."""
        with self.plane.services.database.transaction() as session:
            for job in session.scalars(select(Job).where(Job.state.in_(("sent", "waiting")))).all():
                ref = JobRef(job_id=job.id, generation=job.generation, attempt=job.attempt + (job.state == "waiting"))
                device = session.get_one(Device, job.device_id)
                if job.evaluates_only:
                    report = report_of(ref, job.device_id, outcome=Outcome.EVALUATED, **_NOTHING_DONE)
                elif failing(job.device_id):
                    report = self._failure(ref, job, final=final)
                else:
                    report = report_of(ref, job.device_id)
                take_report(session, device, report, self.plane.clock.now())

    def _failure(self, ref: JobRef, job: Job, *, final: bool) -> Any:
        now = self.plane.clock.now()
        reason = WaitReason.GRS if final else WaitReason.RETRY_INTERVAL
        again = NextAction(
            since=now, at=now + timedelta(days=1), reason=reason, generation=ref.generation, attempt=ref.attempt + 1
        )
        return failed_report_of(ref, job.device_id, next_action=again)

    def pass_time(self, span: timedelta) -> None:
        """Let time pass, in which all devices stay online."""
        self.plane.clock.advance(span)
        with self.plane.services.database.transaction() as session:
            session.execute(update(Device).values(last_seen_at=self.plane.clock.now()))

    def set_offline(self, device_ids: Iterable[str]) -> None:
        """Let devices be away for an hour."""
        with self.plane.services.database.transaction() as session:
            for device_id in device_ids:
                session.get_one(Device, device_id).last_seen_at = self.plane.clock.now() - timedelta(hours=1)

    def set_online(self, device_ids: Iterable[str]) -> None:
        """Let devices be back."""
        with self.plane.services.database.transaction() as session:
            for device_id in device_ids:
                session.get_one(Device, device_id).last_seen_at = self.plane.clock.now()

    def detail(self, rollout_id: str) -> RolloutDetail:
        """What an operator sees of a rollout."""
        with self.plane.services.database.snapshot() as session:
            return rollout_detail(session, rollout_id, this_moment(self.plane.services))

    def row(self, rollout_id: str) -> Rollout:
        """A rollout's row."""
        with self.plane.services.database.snapshot() as session:
            return find_rollout(session, rollout_id)

    def standing(self, rollout_id: str, ring: int, standing: Standing) -> int:
        """How many devices of a ring have a standing."""
        return self.detail(rollout_id).rings[ring].standings.get(standing, 0)

    def ring_of(self, rollout_id: str) -> dict[str, int]:
        """The ring of each device."""
        with self.plane.services.database.snapshot() as session:
            rows = select(RolloutDevice.device_id, RolloutDevice.ring).where(RolloutDevice.rollout_id == rollout_id)
            return dict(session.execute(rows).all())

    def admitted(self, rollout_id: str) -> set[str]:
        """The devices that were admitted."""
        own = (RolloutDevice.rollout_id == rollout_id, RolloutDevice.admitted_at.is_not(None))
        with self.plane.services.database.snapshot() as session:
            return set(session.scalars(select(RolloutDevice.device_id).where(*own)))

    def events(self, rollout_id: str) -> list[str]:
        """What happened to a rollout, in words of one."""
        rows = select(RolloutEvent.what).where(RolloutEvent.rollout_id == rollout_id).order_by(RolloutEvent.sequence)
        with self.plane.services.database.snapshot() as session:
            return list(session.scalars(rows))

    def revisions(self) -> dict[str, int]:
        """The revision that each device was sent last."""
        rows = select(Job.device_id, Job.revision).where(Job.sent_at.is_not(None)).order_by(Job.created_at)
        with self.plane.services.database.snapshot() as session:
            return dict(session.execute(rows).all())


def rolled_fleet(plane: Plane, devices: int) -> RolledFleet:
    """A fleet whose devices all have revision 1, of an app that is pinned to nothing."""
    fleet = RolledFleet(plane)
    plane.publish()
    fleet.add(devices)
    plane.assign(GROUP)
    plane.plan()
    plane.dispatch()
    fleet.answer()
    # Jobs are told apart by when they were made.
    fleet.pass_time(timedelta(minutes=1))
    return fleet


def fleet_with_news(plane: Plane, devices: int) -> RolledFleet:
    """The same fleet; the app's revision 2 is published, and nobody has planned for it."""
    fleet = rolled_fleet(plane, devices)
    plane.publish(displayVersion="2.0")
    return fleet
