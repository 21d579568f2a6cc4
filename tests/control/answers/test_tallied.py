"""Answers from the tallies are those that looking at each job would give, and name devices to look at."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, insert, select, update
from sqlalchemy.orm import Session

from contract.jobs import JobState
from contract.phases import Phase
from contract.states import Intent, Outcome
from control.answers.devices import device_detail
from control.answers.errors import error_counts
from control.answers.job_filter import JobFilter
from control.answers.jobs import list_jobs
from control.answers.moment import Moment
from control.answers.pages import PageRequest
from control.answers.summaries import job_summary
from control.database.migrate import upgrade
from control.database.session import Database
from control.database.tables import Job
from control.fleet.groups import remove_member
from control.tallies.counting import count_moved
from control.views.status import ErrorCount, JobSummary
from tests.bench import big_fleet
from tests.bench.big_fleet import EVERYONE, FEW, Size
from tests.bench.big_rollouts import HELD, THROUGH

_MOMENT = Moment(big_fleet.NOW, big_fleet.NOW - timedelta(hours=1), timedelta(hours=1))
_FILTERS = (
    JobFilter(everything=True),
    JobFilter(app=big_fleet.app_name(3)),
    JobFilter(target=big_fleet.app_name(3)),
    JobFilter(state=JobState.FINISHED),
    JobFilter(outcome=Outcome.FAILED),
    JobFilter(error_code="installer-failed"),
    JobFilter(app=big_fleet.app_name(1), error_code="installer-failed", state=JobState.WAITING),
    JobFilter(rollout=THROUGH),
    JobFilter(target=HELD),
    JobFilter(rollout=HELD, state=JobState.FINISHED),
    JobFilter(rollout=HELD, app=big_fleet.app_name(0), error_code="installer-failed"),
)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A transaction in a database with a small fleet, part of which has moved since it was counted."""
    with closing(Database.at(f"sqlite:///{tmp_path / 'control.db'}")) as database:
        upgrade(database)
        big_fleet.fill(database, Size(devices=150, has_rollouts=True))
        _move_some(database)
        count_moved(database, limit=40)
        _move_some(database)
        with database.transaction() as session:
            yield session


def _move_some(database: Database) -> None:
    with database.transaction() as session:
        failed = select(Job.id).where(Job.is_newest, Job.error_code.is_not(None)).limit(5).scalar_subquery()
        done = select(Job.id).where(Job.is_newest, Job.error_code.is_(None)).limit(100).scalar_subquery()
        over = {"error_code": None, "state": JobState.FINISHED, "outcome": Outcome.NOT_APPLICABLE}
        session.execute(update(Job).where(Job.id.in_(failed)).values(over))
        error = {"error_code": "installer-failed", "error_number": 77, "phase": Phase.CONFIRM}
        session.execute(update(Job).where(Job.id.in_(done)).values({**error, "state": JobState.WAITING}))


def of_each(wanted: JobFilter) -> JobFilter:
    """The same of two groups of which one has everybody: then each of the jobs is looked at."""
    return JobFilter(**{**vars(wanted), "group": None, "group_ids": frozenset({EVERYONE, FEW})})


@pytest.mark.parametrize("wanted", [*_FILTERS, JobFilter(group=EVERYONE), JobFilter(target=EVERYONE)], ids=str)
def test_a_summary_is_that_of_the_jobs(session: Session, wanted: JobFilter) -> None:
    def sorted_counts(found: JobSummary) -> JobSummary:
        return found.model_copy(update={"counts": sorted(found.counts, key=str)})

    found = job_summary(session, wanted, _MOMENT)
    assert found.jobs > 0
    assert sorted_counts(found) == sorted_counts(job_summary(session, of_each(wanted), _MOMENT))


def test_a_summary_of_a_group_is_that_of_its_devices(session: Session) -> None:
    for number in range(0, 150, 3):
        remove_member(session, FEW, big_fleet.device_id(number))
    found = job_summary(session, JobFilter(group_ids=frozenset({FEW})), _MOMENT)
    jobs = list_jobs(session, JobFilter(group=FEW), _MOMENT, PageRequest(limit=1000)).items
    assert found.jobs == len(jobs)


@pytest.mark.parametrize("wanted", _FILTERS, ids=str)
def test_errors_are_those_of_the_jobs(session: Session, wanted: JobFilter) -> None:
    def numbers(found: list[ErrorCount]) -> list[ErrorCount]:
        return [one.model_copy(update={"devices": ()}) for one in found]

    found = error_counts(session, wanted)
    assert numbers(found) == numbers(error_counts(session, of_each(wanted)))


def test_each_error_names_devices_that_have_it(session: Session) -> None:
    found = error_counts(session, JobFilter(everything=True))
    assert {one.number for one in found} > {77}
    for one in found:
        assert 1 <= len(one.devices) <= 2
        for name in one.devices:
            device = device_detail(session, name, _MOMENT)
            assert (one.code, one.number) in {(job.error_code, job.error_number) for job in device.jobs}


def test_a_device_with_many_jobs_takes_no_more_statements_than_one_with_few(session: Session) -> None:
    def statements(number: int) -> int:
        asked: list[str] = []
        event.listen(session.get_bind(), "before_cursor_execute", lambda *rest: asked.append(rest[2]))
        session.expunge_all()
        before = len(asked)
        device_detail(session, big_fleet.device_name(number), _MOMENT)
        return len(asked) - before

    few = statements(1)
    old = {"revision": 1, "intent": Intent.REQUIRED, "state": JobState.FINISHED, "is_newest": False}
    device = {"device_id": big_fleet.device_id(2), "app_id": big_fleet.app_id(2), "created_at": big_fleet.NOW}
    session.execute(insert(Job), [{**old, **device, "id": f"old-{number}"} for number in range(50)])
    assert len(device_detail(session, big_fleet.device_name(2), _MOMENT).jobs) > 50
    assert statements(2) <= few
