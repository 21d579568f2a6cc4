"""Planning on real databases: jobs and outbox entries in one transaction."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from sqlalchemy import event, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from contract.jobs import JobState
from contract.queues import ControlTask
from contract.states import Intent
from control.database.tables import Device, Job, OutboxEntry
from control.fleet.groups import add_member, remove_member
from control.planning import service
from tests.control.plane import Plane


@pytest.fixture
def fleet(either_plane: Plane) -> tuple[Plane, str, list[str]]:
    """A plane with an app, a group of three devices of which the last is offline, and the app required there."""
    plane = either_plane
    plane.publish()
    group_id = plane.group("desks")
    ids = [add_device(plane, group_id, name) for name in ("desk-1", "desk-2", "desk-3")]
    with plane.services.database.transaction() as session:
        session.get_one(Device, ids[2]).last_seen_at = plane.clock.now() - timedelta(hours=1)
    plane.assign("desks")
    return plane, group_id, ids


def add_device(plane: Plane, group_id: str, name: str) -> str:
    (device_id,) = plane.add_devices(group_id, [name])
    return device_id


def jobs(plane: Plane) -> list[Job]:
    with plane.services.database.snapshot() as session:
        return list(session.scalars(select(Job).join(Device).order_by(Device.name, Job.created_at, Job.state)))


def queued(plane: Plane) -> set[str]:
    with plane.services.database.snapshot() as session:
        return set(session.scalars(select(Job.device_id).join(OutboxEntry)))


def test_online_devices_are_sent_to_and_others_are_not(fleet: tuple[Plane, str, list[str]]) -> None:
    plane, _, ids = fleet
    plane.plan()
    assert [job.state for job in jobs(plane)] == [JobState.PLANNED] * 3
    assert queued(plane) == set(ids[:2])
    assert plane.queue.asked == [ControlTask.DISPATCH]


def test_planning_twice_changes_nothing(fleet: tuple[Plane, str, list[str]]) -> None:
    plane, _, _ = fleet
    plane.plan()
    before = [job.id for job in jobs(plane)]
    plane.plan()
    assert [job.id for job in jobs(plane)] == before
    assert plane.queue.asked == [ControlTask.DISPATCH]


def test_planners_at_the_same_time_make_each_job_once(fleet: tuple[Plane, str, list[str]]) -> None:
    plane, _, _ = fleet
    together = Barrier(4)

    def plan() -> None:
        together.wait(10)
        plane.plan()

    threads = [Thread(target=plan) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(jobs(plane)) == 3


def test_a_new_revision_cancels_and_makes_anew(fleet: tuple[Plane, str, list[str]]) -> None:
    plane, _, _ = fleet
    plane.plan()
    plane.clock.advance(timedelta(seconds=1))
    plane.publish(displayVersion="2.0")
    plane.plan()
    assert [(job.revision, job.state) for job in jobs(plane)] == [
        (1, JobState.CANCELLED),
        (2, JobState.PLANNED),
    ] * 3


def test_leaving_the_group_cancels_and_coming_back_makes_a_new_job(fleet: tuple[Plane, str, list[str]]) -> None:
    plane, group_id, ids = fleet
    plane.plan()
    with plane.services.database.transaction() as session:
        remove_member(session, group_id, ids[0])
    plane.plan()
    assert jobs(plane)[0].state is JobState.CANCELLED
    with plane.services.database.transaction() as session:
        add_member(session, group_id, ids[0], plane.clock.now())
    plane.plan()
    assert {job.state for job in jobs(plane)[:2]} == {JobState.CANCELLED, JobState.PLANNED}


def test_required_beats_uninstall_of_another_group(fleet: tuple[Plane, str, list[str]]) -> None:
    plane, _, ids = fleet
    everyone = plane.group("everyone")
    with plane.services.database.transaction() as session:
        add_member(session, everyone, ids[0], plane.clock.now())
    plane.assign("everyone", Intent.UNINSTALL)
    plane.plan()
    assert {job.intent for job in jobs(plane)} == {Intent.REQUIRED}


def test_assigning_again_with_another_intent_changes_it(fleet: tuple[Plane, str, list[str]]) -> None:
    plane, _, _ = fleet
    plane.plan()
    plane.clock.advance(timedelta(seconds=1))
    plane.assign("desks", Intent.UNINSTALL)
    plane.plan()
    assert [(job.intent, job.state) for job in jobs(plane)] == [
        (Intent.REQUIRED, JobState.CANCELLED),
        (Intent.UNINSTALL, JobState.PLANNED),
    ] * 3


def test_the_database_itself_refuses_a_second_live_job(fleet: tuple[Plane, str, list[str]]) -> None:
    plane, _, _ = fleet
    plane.plan()
    job = jobs(plane)[0]
    second = Job(
        id=str(uuid4()),
        device_id=job.device_id,
        app_id=job.app_id,
        revision=1,
        intent=Intent.REQUIRED,
        created_at=plane.clock.now(),
    )

    def add() -> None:
        with plane.services.database.transaction() as session:
            session.add(second)

    with pytest.raises(IntegrityError):
        add()


def cut_off_at(table: str) -> Callable[..., None]:
    def cut_off(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith(f"INSERT INTO {table} "):
            raise KeyboardInterrupt

    return cut_off


def test_planning_that_is_cut_off_leaves_neither_jobs_nor_entries(fleet: tuple[Plane, str, list[str]]) -> None:
    plane, _, _ = fleet
    engine, listener = plane.services.database.engine, cut_off_at("outbox")
    event.listen(engine, "before_cursor_execute", listener)
    with pytest.raises(KeyboardInterrupt):
        plane.plan()
    event.remove(engine, "before_cursor_execute", listener)
    assert jobs(plane) == []
    plane.plan()
    assert len(jobs(plane)) == 3


def test_parts_are_looked_at_without_a_lock_until_something_is_to_be_changed(
    fleet: tuple[Plane, str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    plane, group_id, ids = fleet
    plane.plan()
    locked: list[object] = []
    monkeypatch.setattr(service, "PART", 1)
    monkeypatch.setattr(service, "lock_planning", locked.append)
    plane.plan()
    assert not locked, "nothing is to be changed"
    with plane.services.database.transaction() as session:
        remove_member(session, group_id, min(ids))
    plane.plan()
    assert len(locked) == 2, "the first part, and the one that follows it"


def test_devices_of_several_parts_get_each_job_once(
    fleet: tuple[Plane, str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    plane, _, ids = fleet
    monkeypatch.setattr(service, "PART", 2)
    plane.plan()
    plane.plan()
    assert sorted(job.device_id for job in jobs(plane)) == sorted(ids)
    assert queued(plane) == set(ids[:2])
