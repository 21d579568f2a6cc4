"""The outbox: sent after the commit, by any number of dispatchers, and again after a crash."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from contract.errors import UnavailableError
from contract.jobs import JobState
from contract.uplink import GenerationReason, ProgressBatch
from control.database.tables import Device, Job, OutboxEntry
from control.dispatch.outbox import dispatch_due, pending_entries
from control.dispatch.ports import AddressedJob
from control.dispatch.resend import resend
from tests.control.dispatch.fleets import add_fleet
from tests.control.plane import Plane, RecordingPublisher, progress_of
from tests.control.words import take_progress

DEVICES = 5


@pytest.fixture
def due(either_plane: Plane) -> Plane:
    """A plane with a job due for each of five devices."""
    add_fleet(either_plane, DEVICES)
    either_plane.plan()
    return either_plane


def states(plane: Plane) -> set[JobState]:
    with plane.services.database.snapshot() as session:
        return set(session.scalars(select(Job.state)))


def test_every_job_is_sent_once(due: Plane) -> None:
    sent = due.dispatch()
    assert len({ref.job_id for _, ref in sent}) == len(sent) == DEVICES
    assert {(ref.generation, ref.attempt) for _, ref in sent} == {(1, 1)}
    assert states(due) == {JobState.SENT}
    assert due.dispatch() == []


def test_no_more_than_the_limit_is_sent(due: Plane) -> None:
    assert len(due.dispatch(limit=2)) == 2
    assert len(due.dispatch()) == DEVICES - 2


def test_a_batch_that_broke_off_is_sent_again_as_it_was(due: Plane) -> None:
    due.publisher.capacity = 2
    with pytest.raises(UnavailableError):
        due.dispatch()
    assert states(due) == {JobState.PLANNED}
    broken_off = list(due.publisher.sent)
    due.publisher.capacity = None
    again = due.dispatch()
    assert len(set(again)) == len(again) == DEVICES
    assert set(broken_off) <= set(again), "the same generation: a device that has it does nothing twice"


class DyingPublisher(RecordingPublisher):
    """Sends one message, then its process is killed."""

    def publish(self, jobs: Sequence[AddressedJob]) -> None:
        super().publish(jobs[:1])
        raise KeyboardInterrupt


def test_a_dispatcher_killed_after_sending_leads_to_the_same_generation_again(
    due: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = DyingPublisher()
    database = due.services.database

    def killed(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("control.dispatch.outbox._settle", killed)
        with pytest.raises(KeyboardInterrupt):
            dispatch_due(database, dying, due.clock, 10)
    assert due.dispatch() == [], "the claims of the dead dispatcher still hold"
    due.clock.advance(timedelta(minutes=3))
    again = due.dispatch()
    assert len(again) == DEVICES
    assert dying.sent[0] in again


def test_dispatchers_at_the_same_time_share_the_work(due: Plane) -> None:
    together = Barrier(4)
    publishers = [RecordingPublisher() for _ in range(4)]

    def dispatch(publisher: RecordingPublisher) -> None:
        together.wait(10)
        dispatch_due(due.services.database, publisher, due.clock, 10)

    threads = [Thread(target=dispatch, args=(publisher,)) for publisher in publishers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent = [ref.job_id for publisher in publishers for _, ref in publisher.sent]
    assert len(sent) == len(set(sent)) == DEVICES


def test_a_job_cancelled_meanwhile_is_not_sent(due: Plane) -> None:
    with due.services.database.transaction() as session:
        job = session.scalars(select(Job).limit(1)).one()
        job.state = JobState.CANCELLED
    assert len(due.dispatch()) == DEVICES - 1
    with due.services.database.snapshot() as session:
        assert pending_entries(session, [job.device_id]) == {}


class FastDevicePublisher(RecordingPublisher):
    """Sends to a device that is running the job before the dispatcher has written that it was sent."""

    def __init__(self, plane: Plane) -> None:
        super().__init__()
        self._plane = plane

    def publish(self, jobs: Sequence[AddressedJob]) -> None:
        super().publish(jobs)
        with self._plane.services.database.transaction() as session:
            for job in jobs:
                batch = ProgressBatch(items=(progress_of(job.ref),))
                take_progress(session, session.get_one(Device, job.device_id), batch, self._plane.clock.now())


def test_a_device_that_is_faster_than_the_dispatcher_stays_running(due: Plane) -> None:
    dispatch_due(due.services.database, FastDevicePublisher(due), due.clock, 10)
    assert states(due) == {JobState.RUNNING}
    with due.services.database.snapshot() as session:
        assert None not in session.scalars(select(OutboxEntry.sent_at)).all()


def resend_jobs(plane: Plane, device_ids: Collection[str]) -> None:
    with plane.services.database.transaction() as session:
        for job in session.scalars(select(Job).where(Job.device_id.in_(device_ids))):
            resend(session, job, GenerationReason.OPERATOR, plane.clock.now())


def entries(plane: Plane) -> list[tuple[int, bool]]:
    """The generation of each entry, and whether it is sent."""
    with plane.services.database.snapshot() as session:
        return sorted((entry.generation, entry.sent_at is not None) for entry in session.scalars(select(OutboxEntry)))


def test_jobs_of_several_generations_are_sent_together_each_under_its_own(due: Plane) -> None:
    with due.services.database.snapshot() as session:
        device_ids = session.scalars(select(Job.device_id)).all()
    resend_jobs(due, device_ids[:2])
    resend_jobs(due, device_ids[:1])
    sent = {device_id: ref.generation for device_id, ref in due.dispatch()}
    assert sent == dict(zip(device_ids, (3, 2, 1, 1, 1), strict=True))
    assert states(due) == {JobState.SENT}
    assert entries(due) == [(1, True), (1, True), (1, True), (2, True), (3, True)], "older ones are dropped"


class OvertakenPublisher(RecordingPublisher):
    """Sends jobs that an operator has sent anew before the dispatcher has written that they were sent."""

    def __init__(self, plane: Plane) -> None:
        super().__init__()
        self._plane = plane

    def publish(self, jobs: Sequence[AddressedJob]) -> None:
        super().publish(jobs)
        resend_jobs(self._plane, [job.device_id for job in jobs])


def test_a_job_sent_anew_meanwhile_is_still_to_be_sent(due: Plane) -> None:
    dispatch_due(due.services.database, OvertakenPublisher(due), due.clock, DEVICES)
    assert states(due) == {JobState.PLANNED}
    assert entries(due) == [(1, True)] * DEVICES + [(2, False)] * DEVICES
