"""Two who lock the same things at once never wait for each other; on PostgreSQL, where both may write."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from contract.jobs import JobState
from contract.uplink import CheckIn, CheckInReason
from control.catalog.assignments import unassign
from control.database.session import lock_audit, lock_tallies
from control.database.tables import CallRow, Device, Job, Role
from control.dispatch.expiry import expire
from control.fleet.check_in import Arrival, CheckInTerms, check_in
from control.ingest.words import checked_word, take_word
from control.shards.moving import begin_moves
from control.steering.calls import ask_for_calls
from tests.control.plane import FACTS, Plane, RecordingBrokerUsers, SignedDevice, report_of
from tests.control.two_writers import overtake

pytestmark = pytest.mark.integration


@pytest.fixture
def plane(postgresql_plane: Plane) -> Plane:
    return postgresql_plane


@pytest.fixture
def admin(client: httpx.Client, operator: Callable[[Role], dict[str, str]]) -> httpx.Client:
    client.headers.update(operator(Role.ADMIN))
    return client


@pytest.fixture
def planned(plane: Plane) -> list[str]:
    """The ids of two jobs in the outbox, sorted; the database comes upon the second one first."""
    plane.publish()
    plane.add_devices(plane.group("desks"), ["desk-1", "desk-2"])
    plane.assign("desks")
    plane.plan()
    with plane.services.database.transaction() as session:
        ids = sorted(session.scalars(select(Job.id)))
        # A row that is changed is written anew, behind all others.
        session.execute(update(Job).where(Job.id == ids[0]).values(attempt=1))
        # A table that is known to be small is read from its begin to its end.
        session.execute(text("ANALYZE jobs"))
    return ids


def lock_job(session: Session, job_id: str) -> None:
    session.execute(select(Job.id).where(Job.id == job_id).with_for_update())


def test_jobs_that_were_sent_are_noted_in_the_order_of_their_ids(plane: Plane, planned: list[str]) -> None:
    first, last = planned
    overtake(
        plane.services.database,
        lambda session: lock_job(session, first),
        plane.dispatch,
        lambda session: lock_job(session, last),
    )
    with plane.services.database.snapshot() as session:
        assert set(session.scalars(select(Job.state))) == {JobState.SENT}


def test_jobs_that_nobody_wants_any_more_are_ended_in_the_order_of_their_ids(plane: Plane, planned: list[str]) -> None:
    first, last = planned
    with plane.services.database.transaction() as session:
        unassign(session, "Editor", "desks")
    overtake(
        plane.services.database,
        lambda session: lock_job(session, first),
        plane.plan,
        lambda session: lock_job(session, last),
    )
    with plane.services.database.snapshot() as session:
        assert set(session.scalars(select(Job.state))) == {JobState.CANCELLED}


def test_a_device_that_comes_back_checks_in_and_reports_at_once(plane: Plane, client: httpx.Client) -> None:
    plane.publish()
    device = SignedDevice(client)
    assert device.enroll(plane.token(group_id=plane.group("desks"))).is_success
    plane.assign("desks")
    plane.plan()
    ((_, ref),) = plane.dispatch()
    plane.clock.advance(timedelta(days=1))
    report = checked_word(device.device_id, report_of(ref, device.device_id))

    def hold(session: Session) -> None:
        session.execute(select(Device.id).where(Device.id == device.device_id).with_for_update(key_share=True))

    def come_back() -> None:
        terms = CheckInTerms(timedelta(hours=1), timedelta(hours=2), {})
        message = CheckIn(reason=CheckInReason.MAINTENANCE_TIMER, facts=FACTS)
        with plane.services.database.transaction() as session:
            check_in(
                session, [Arrival(device.device_id, message)], terms, trusted_keys_version=1, now=plane.clock.now()
            )

    overtake(plane.services.database, hold, come_back, lambda session: take_word(session, report, plane.clock.now()))


def test_a_job_of_a_silent_device_that_is_heard_of_right_now_does_not_expire(plane: Plane, planned: list[str]) -> None:
    heard, _ = planned
    plane.clock.advance(timedelta(days=60))
    now = plane.clock.now()

    def expired() -> int:
        with plane.services.database.transaction() as session:
            return expire(session, silent_since=now - timedelta(days=30), now=now)

    assert overtake(plane.services.database, lambda session: lock_job(session, heard), expired) == 1


def test_devices_that_are_to_move_are_called_without_waiting(plane: Plane, planned: list[str]) -> None:
    database, now = plane.services.database, plane.clock.now()
    calls: list[int] = []

    def move(session: Session) -> None:
        ids = session.scalars(select(Device.id)).all()
        users = {"two": RecordingBrokerUsers()}
        assert begin_moves(session, ids, ["two"], users, online_since=now + timedelta(days=1), now=now) == len(ids)

    def call() -> None:
        with database.transaction() as session:
            ask_for_calls(session, session.scalars(select(Device).order_by(Device.id)).all(), now)
        with database.snapshot() as session:
            calls.append(len(session.scalars(select(CallRow)).all()))

    def see(_session: Session) -> None:
        assert calls == [2]

    overtake(database, move, call, see)


def test_changes_are_recorded_when_nothing_else_is_to_be_locked(
    plane: Plane, admin: httpx.Client, planned: list[str]
) -> None:
    documents = [
        {"kind": "Filter", "name": "linux", "rule": 'device.hostname -eq "desk-1"'},
        {"kind": "Group", "name": "desks", "members": []},
    ]
    answer = overtake(
        plane.services.database,
        lock_tallies,
        lambda: admin.post("/v1/changes", json={"documents": documents}),
        lock_audit,
    )
    assert len(answer.raise_for_status().json()["changes"]) == 2
