"""The flag of the newest job of each device and app, on both databases."""

from collections import defaultdict
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from contract.jobs import JobState
from contract.states import Intent, Outcome
from control.cancel_reasons import CancelReason
from control.database.tables import Device, Job
from control.fleet.groups import add_member
from control.fleet.retirement import retire
from control.newest_jobs import is_newest
from tests.control.plane import FACTS, Plane

_GROUP = "desks"
_DEVICES = ("0" * 36, "1" * 36, "2" * 36)
_STEPS = 25


@pytest.fixture
def desks(either_plane: Plane) -> Plane:
    """A plane with a group of three devices, and an app that is required there."""
    plane = either_plane
    plane.publish()
    group_id, now = plane.group(_GROUP), plane.clock.now()
    with plane.services.database.transaction() as session:
        for device_id in _DEVICES:
            session.add(_device(device_id, plane))
            session.flush()
            add_member(session, group_id, device_id, now)
    plane.assign(_GROUP)
    plane.plan()
    return plane


def _device(device_id: str, plane: Plane) -> Device:
    return Device(
        id=device_id,
        name=device_id,
        signing_key=device_id.encode(),
        sealing_key=b"",
        facts=FACTS.model_dump(mode="json"),
        enrolled_with="",
        enrolled_at=plane.clock.now(),
        last_seen_at=plane.clock.now(),
    )


def jobs_of(plane: Plane, device_id: str = _DEVICES[0]) -> list[Job]:
    """The jobs of a device, oldest first."""
    with plane.services.database.snapshot() as session:
        return list(session.scalars(select(Job).where(Job.device_id == device_id).order_by(Job.created_at)))


def wish(plane: Plane, intent: Intent) -> None:
    """Have the app wanted so from now on."""
    plane.clock.advance(timedelta(seconds=1))
    plane.assign(_GROUP, intent)
    plane.plan()


def end_all(plane: Plane) -> None:
    """Have the devices end what they have, as they were asked to."""
    with plane.services.database.transaction() as session:
        over = {"state": JobState.FINISHED, "outcome": Outcome.INSTALLED, "finished_at": plane.clock.now()}
        session.execute(update(Job).where(Job.state == JobState.SENT).values(over))
        session.execute(update(Job).where(Job.state == JobState.CANCELLING).values(state=JobState.CANCELLED))


def flags(plane: Plane) -> list[tuple[Intent, bool]]:
    return [(job.intent, job.is_newest) for job in jobs_of(plane)]


def test_a_new_job_takes_the_flag_from_the_one_before_it(desks: Plane) -> None:
    desks.dispatch()
    end_all(desks)
    wish(desks, Intent.UNINSTALL)
    assert flags(desks) == [(Intent.REQUIRED, False), (Intent.UNINSTALL, True)]


def test_a_job_that_was_superseded_before_it_was_sent_hands_the_flag_back(desks: Plane) -> None:
    desks.dispatch()
    end_all(desks)
    wish(desks, Intent.UNINSTALL)
    wish(desks, Intent.AVAILABLE)
    assert flags(desks) == [(Intent.REQUIRED, True), (Intent.UNINSTALL, False)]


def test_a_job_that_was_sent_keeps_the_flag_and_is_not_shown_once_nobody_wants_it(desks: Plane) -> None:
    desks.dispatch()
    wish(desks, Intent.AVAILABLE)
    end_all(desks)
    assert flags(desks) == [(Intent.REQUIRED, True)]
    with desks.services.database.snapshot() as session:
        assert session.scalars(select(Job.id).where(is_newest())).all() == []


def test_retiring_a_device_hands_the_flag_back(desks: Plane) -> None:
    desks.dispatch()
    end_all(desks)
    wish(desks, Intent.UNINSTALL)
    with desks.services.database.transaction() as session:
        retire(session, session.get_one(Device, _DEVICES[0]), desks.clock.now())
    assert flags(desks) == [(Intent.REQUIRED, True), (Intent.UNINSTALL, False)]


def test_the_database_itself_refuses_a_second_newest_job(desks: Plane) -> None:
    desks.dispatch()
    end_all(desks)
    wish(desks, Intent.UNINSTALL)

    def set_flag() -> None:
        with desks.services.database.transaction() as session:
            session.execute(update(Job).values(is_newest=True))

    with pytest.raises(IntegrityError):
        set_flag()


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_the_flag_is_where_the_history_says(desks: Plane, seed: int) -> None:
    random = Random(seed)
    steps = (
        lambda: wish(desks, Intent.REQUIRED),
        lambda: wish(desks, Intent.UNINSTALL),
        lambda: wish(desks, Intent.AVAILABLE),
        lambda: desks.publish(displayVersion=str(random.random())),
        lambda: desks.dispatch(limit=2),
        lambda: end_all(desks),
    )
    for _ in range(_STEPS):
        random.choice(steps)()
        assert_flags_fit(desks)


def assert_flags_fit(plane: Plane) -> None:
    history: defaultdict[tuple[str, str], list[Job]] = defaultdict(list)
    for device_id in _DEVICES:
        for job in jobs_of(plane, device_id):
            history[job.device_id, job.app_id].append(job)
    for jobs in history.values():
        flagged = [job.id for job in jobs if job.is_newest]
        assert flagged == [job.id for job in jobs if not _never_was(job)][-1:]


def _never_was(job: Job) -> bool:
    superseded = job.state is JobState.CANCELLED and job.cancel_reason is CancelReason.SUPERSEDED
    return superseded and job.sent_at is None
