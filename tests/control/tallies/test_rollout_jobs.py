"""Tallies of rollouts are what looking at each job would give: whatever happens to jobs and to who is in a rollout."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from control.answers.job_filter import JobFilter
from control.answers.tallied import Tallied
from control.database.session import Database, lock_tallies
from control.database.tables import Job, Rollout, RolloutDevice, RolloutTally
from control.fleet.groups import add_member, remove_member
from control.rollouts.joining import follow_assignments
from control.rollouts.lookup import find_rollout, lock_rollout
from control.tallies.checking import recount, wrong_tallies
from control.tallies.counting import count_batch
from control.tallies.rollout_jobs import begin_tallies
from control.tallies.standings import standings
from tests.bench import big_fleet
from tests.bench.big_rollouts import HELD, REVISION, THROUGH, UNDER_WAY
from tests.control.filled_database import filled_database, undone
from tests.control.job_counts import by_counting, by_standings
from tests.control.job_histories import SIZE, Step, handing_back, moving, replacing
from tests.control.two_writers import overtake

_ON_BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)]


@pytest.fixture(scope="module", params=_ON_BOTH)
def rolled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with two rollouts under way, on each device."""
    size = replace(SIZE, has_rollouts=True)
    with filled_database(request, tmp_path_factory.mktemp("rollouts"), size) as database:
        yield database


def in_rollout(rollout: Rollout) -> tuple[ColumnElement[bool], ...]:
    """Whether a job is one of those that a rollout brings, or was there before it."""
    devices = select(RolloutDevice.device_id).where(
        RolloutDevice.rollout_id == rollout.id, RolloutDevice.left_at.is_(None)
    )
    return Job.app_id == rollout.app_id, Job.device_id.in_(devices)


def require_right(session: Session) -> None:
    """Compare what is tallied with each job."""
    session.flush()
    for name in UNDER_WAY:
        rollout = find_rollout(session, name)
        found = by_standings(session, standings(rollout=rollout))
        assert found == by_counting(session, *in_rollout(rollout))
    assert wrong_tallies(session) == []


def leave_out(session: Session, device: int) -> None:
    """Have a device come to all rollouts only when they look again."""
    session.execute(delete(RolloutDevice).where(RolloutDevice.device_id == big_fleet.device_id(device)))
    for name in UNDER_WAY:
        begin_tallies(session, find_rollout(session, name))


@st.composite
def _following(draw: st.DrawFn) -> Step:
    """A rollout looks whom it is for."""
    name = draw(st.sampled_from(UNDER_WAY))
    return lambda session: follow_assignments(session, find_rollout(session, name), big_fleet.NOW)


@st.composite
def _coming_and_going(draw: st.DrawFn) -> Step:
    """The apps become required on a device, or are not any more."""
    device_id = big_fleet.device_id(draw(st.integers(0, SIZE.devices - 1)))
    if draw(st.booleans()):
        return lambda session: add_member(session, big_fleet.EVERYONE, device_id, big_fleet.NOW)
    return lambda session: remove_member(session, big_fleet.EVERYONE, device_id)


STEPS = st.lists(
    st.one_of(
        moving(),
        replacing(revisions=(REVISION - 1, REVISION)),
        handing_back(),
        st.builds(lambda limit: lambda session: count_batch(session, limit), st.integers(1, 5)),
        _coming_and_going(),
        _following(),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, st.none() | st.integers(0, SIZE.devices - 1))
def test_answers_are_what_looking_at_each_job_would_give(rolled: Database, steps: list[Step], late: int | None) -> None:
    with undone(rolled) as session:
        if late is not None:
            leave_out(session, late)
        for step in steps:
            step(session)
            require_right(session)


def test_a_device_that_goes_and_comes_back_is_counted_while_it_is_there(rolled: Database) -> None:
    def counted(session: Session) -> int:
        own = RolloutTally.rollout_id == HELD
        return sum(session.scalars(select(RolloutTally.jobs).where(own)))

    with undone(rolled) as session:
        rollout = find_rollout(session, HELD)
        remove_member(session, big_fleet.EVERYONE, big_fleet.device_id(0))
        follow_assignments(session, rollout, big_fleet.NOW)
        assert counted(session) == SIZE.devices - 1
        add_member(session, big_fleet.EVERYONE, big_fleet.device_id(0), big_fleet.NOW)
        follow_assignments(session, rollout, big_fleet.NOW)
        assert counted(session) == SIZE.devices


def test_the_next_rollout_of_an_app_is_tallied_instead(rolled: Database) -> None:
    with undone(rolled) as session:
        before = find_rollout(session, HELD)
        session.execute(update(Rollout).where(Rollout.id == HELD).values(state="finished"))
        columns = {column.key: getattr(before, column.key) for column in Rollout.__table__.columns}
        new = Rollout(**{**columns, "id": "new", "name": "new", "created_at": before.created_at + timedelta(1)})
        session.add(new)
        session.flush()
        begin_tallies(session, new)
        session.refresh(before)
        assert Tallied.of(session, JobFilter(rollout="new")) is not None
        assert Tallied.of(session, JobFilter(rollout=HELD)) is None, "its jobs are looked at"
        assert set(session.scalars(select(RolloutTally.rollout_id))) == {THROUGH}
        assert wrong_tallies(session) == []


def test_a_wrong_tally_of_a_rollout_is_found_and_put_right(rolled: Database) -> None:
    with rolled.transaction() as session:
        session.execute(update(RolloutTally).where(RolloutTally.rollout_id == HELD).values(jobs=77))
        assert {one.of for one in wrong_tallies(session)} == {HELD}
    recount(rolled)
    with rolled.transaction() as session:
        require_right(session)
        assert sum(session.scalars(select(RolloutTally.jobs))) == SIZE.devices * len(UNDER_WAY)


@pytest.mark.integration
@pytest.mark.parametrize("rolled", ["postgresql"], indirect=True)
def test_whoever_has_a_rollout_to_himself_and_whoever_counts_do_not_wait_for_each_other(rolled: Database) -> None:
    # Jobs come to a place that the rollout has had none in, so its row is referred to.
    elsewhere = update(Job).where(Job.is_newest).values(state="running", outcome=None)

    def count() -> int:
        with rolled.transaction() as session:
            session.execute(elsewhere)
            return count_batch(session)

    assert overtake(rolled, lambda session: lock_rollout(session, HELD), count, then=lock_tallies) > 0
