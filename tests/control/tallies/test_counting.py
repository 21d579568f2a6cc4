"""Tallies, put right by what has moved since, are what counting all jobs would give: whatever happens, in any order."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from contract.phases import Phase
from control.database.session import Database
from control.database.tables import Assignment, GroupMember, GroupTally, Job, JobTally
from control.fleet.groups import add_member, delete_group, remove_member
from control.tallies.checking import recount, wrong_tallies
from control.tallies.counting import count_batch, count_moved
from control.tallies.members import count_members
from control.tallies.standings import standings
from tests.bench import big_fleet
from tests.control.filled_database import filled_database, undone
from tests.control.job_counts import by_counting, by_standings
from tests.control.job_histories import SIZE, Step, handing_back, moving, replacing


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def few_jobs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with a few jobs in it, all counted."""
    with filled_database(request, tmp_path_factory.mktemp("tallies"), SIZE) as database:
        yield database


def on_members(group_id: str) -> ColumnElement[bool]:
    """Whether a job is on a device of the group."""
    return Job.device_id.in_(select(GroupMember.device_id).where(GroupMember.group_id == group_id))


@st.composite
def coming_and_going(draw: st.DrawFn) -> Step:
    """A device comes to a group, or goes."""
    group, device_id = draw(st.sampled_from(GROUPS)), big_fleet.device_id(draw(st.integers(0, SIZE.devices - 1)))
    if draw(st.booleans()):
        return lambda session: add_member(session, group, device_id, big_fleet.NOW)
    return lambda session: remove_member(session, group, device_id)


def counting(limit: int) -> Step:
    """A part of what is to be counted is counted."""

    def count(session: Session) -> None:
        count_batch(session, limit)
        count_members(session, limit)

    return count


GROUPS = (big_fleet.EVERYONE, big_fleet.FEW)
STEPS = st.lists(
    st.one_of(moving(), replacing(), handing_back(), coming_and_going(), st.integers(1, 5).map(counting)), max_size=25
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_answers_are_what_counting_all_jobs_would_give(few_jobs: Database, steps: list[Step]) -> None:
    with undone(few_jobs) as session:
        for step in steps:
            step(session)
            session.flush()
            assert by_standings(session, standings()) == by_counting(session)
            for group_id in GROUPS:
                assert by_standings(session, standings(group_id)) == by_counting(session, on_members(group_id))
            assert wrong_tallies(session) == []
        while count_batch(session) + count_members(session):
            pass
        assert sum(session.scalars(select(JobTally.jobs))) == by_counting(session).total(), "all are counted by now"
        in_groups = sum(by_counting(session, on_members(group_id)).total() for group_id in GROUPS)
        assert sum(session.scalars(select(GroupTally.jobs))) == in_groups


def test_a_fleet_that_was_counted_has_nothing_left_to_count(few_jobs: Database) -> None:
    assert count_moved(few_jobs, 100) == 0


def test_places_without_jobs_are_forgotten(few_jobs: Database) -> None:
    with undone(few_jobs) as session:
        session.execute(update(Job).values(is_newest=False))
        count_batch(session)
        assert session.scalar(select(func.count()).select_from(JobTally)) == 0


def test_a_group_that_is_deleted_leaves_no_numbers(few_jobs: Database) -> None:
    with undone(few_jobs) as session:
        session.execute(delete(Assignment))
        delete_group(session, big_fleet.FEW, big_fleet.NOW)
        assert {row.group_id for row in session.scalars(select(GroupTally))} == {big_fleet.EVERYONE}
        assert wrong_tallies(session) == []


def test_being_counted_is_no_change_that_followers_are_told(few_jobs: Database) -> None:
    with undone(few_jobs) as session:
        session.execute(update(Job).where(Job.is_newest).values(phase=Phase.DETECT, error_code="x"))
        changed = dict(session.execute(select(Job.id, Job.changed_at)).all())
        count_batch(session)
        assert dict(session.execute(select(Job.id, Job.changed_at)).all()) == changed


def test_a_wrong_tally_is_found_and_put_right(few_jobs: Database) -> None:
    with few_jobs.transaction() as session:
        right = by_counting(session)
        session.execute(delete(JobTally).where(JobTally.app_id == big_fleet.app_id(0)))
        session.execute(update(JobTally).values(jobs=JobTally.jobs + 1))
        session.execute(update(GroupTally).where(GroupTally.group_id == big_fleet.FEW).values(jobs=0))
    with few_jobs.transaction() as session:
        wrong = wrong_tallies(session)
        assert {one.app_id for one in wrong} == {big_fleet.app_id(0), big_fleet.app_id(1)}
        assert {one.of for one in wrong} == {None, big_fleet.FEW}
        assert by_standings(session, standings()) != right
    recount(few_jobs)
    with few_jobs.transaction() as session:
        assert wrong_tallies(session) == []
        assert by_standings(session, standings()) == right
