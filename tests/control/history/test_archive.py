"""What is moved into the archive, what stays, and what is left of it there."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from contract.jobs import JobRef, JobState
from contract.states import Intent, Outcome
from control.answers.devices import device_detail
from control.answers.moment import this_moment
from control.database.tables import ArchivedJob, Job, OutboxEntry, PhaseRow, ReportRow
from control.history.archive import archive
from control.history.archived import archived_documents, prune
from control.newest_jobs import is_newest
from control.tallies.checking import wrong_tallies
from control.work import archive_now, tally_now
from tests.control.plane import Plane, SignedDevice, report_of

LONG_AGO = timedelta(days=100)


@pytest.fixture
def replaced(plane: Plane, sent: tuple[SignedDevice, JobRef]) -> tuple[SignedDevice, JobRef]:
    """A device with a job that it reported and that another one has replaced, and the first job."""
    device, ref = sent
    device.report(report_of(ref, device.device_id))
    replace(plane, Intent.UNINSTALL)
    plane.dispatch()
    return device, ref


def replace(plane: Plane, intent: Intent) -> None:
    """Have the app wanted so from now on, and what was made before seem as old as `LONG_AGO`."""
    plane.assign("desks", intent)
    plane.plan()
    with plane.services.database.transaction() as session:
        at = plane.clock.now() - LONG_AGO
        session.execute(update(Job).where(~Job.is_newest).values(changed_at=at))
    tally_now(plane.services)


def job_ids(plane: Plane) -> set[str]:
    with plane.services.database.snapshot() as session:
        return set(session.scalars(select(Job.id)))


def archived(plane: Plane, **wanted: Any) -> list[dict[str, Any]]:
    return [json.loads(document) for document in archived_documents(plane.services.database, **wanted)]


def test_a_job_that_was_replaced_long_ago_is_moved_with_all_there_is_of_it(
    plane: Plane, replaced: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = replaced
    archive_now(plane.services)
    assert ref.job_id not in job_ids(plane)
    with plane.services.database.snapshot() as session:
        for kind in (ReportRow, PhaseRow, OutboxEntry):
            assert session.scalars(select(kind).where(kind.job_id == ref.job_id)).all() == []
    (document,) = archived(plane)
    assert (document["id"], document["device"], document["app"]) == (ref.job_id, device.name, "Editor")
    assert (document["state"], document["outcome"]) == (JobState.FINISHED, Outcome.INSTALLED)
    assert [phase["phase"] for phase in document["phases"]] == ["install"]
    assert [(report["attempt"], report["raw_exit_code"]) for report in document["reports"]] == [(1, 0)]
    assert "is_newest" not in document


def test_answers_about_the_present_are_the_same_before_and_after(
    plane: Plane, replaced: tuple[SignedDevice, JobRef]
) -> None:
    def shown() -> list[str]:
        with plane.services.database.transaction() as session:
            assert wrong_tallies(session) == []
            return list(session.scalars(select(Job.id).where(is_newest())))

    before = shown()
    archive_now(plane.services)
    assert shown() == before


def test_the_devices_page_says_how_many_are_in_the_archive(plane: Plane, replaced: tuple[SignedDevice, JobRef]) -> None:
    device, _ = replaced

    def shown() -> tuple[int, int]:
        with plane.services.database.snapshot() as session:
            detail = device_detail(session, device.device_id, this_moment(plane.services))
        return len(detail.jobs), detail.archived_jobs

    assert shown() == (2, 0)
    archive_now(plane.services)
    assert shown() == (1, 1)


def test_a_report_that_comes_after_that_is_about_no_job(plane: Plane, replaced: tuple[SignedDevice, JobRef]) -> None:
    device, ref = replaced
    archive_now(plane.services)
    assert device.report(report_of(ref, device.device_id, sequence=2)).status_code == 404


def test_a_job_that_was_replaced_lately_stays(plane: Plane, replaced: tuple[SignedDevice, JobRef]) -> None:
    before = plane.clock.now() - LONG_AGO - timedelta(days=1)
    assert archive(plane.services.database, replaced_before=before, limit=10) == 0
    assert replaced[1].job_id in job_ids(plane)


def test_the_newest_job_stays_however_old_it_is(plane: Plane, sent: tuple[SignedDevice, JobRef]) -> None:
    device, ref = sent
    device.report(report_of(ref, device.device_id))
    tally_now(plane.services)
    plane.clock.advance(LONG_AGO * 10)
    archive_now(plane.services)
    assert job_ids(plane) == {ref.job_id}


def test_a_job_whose_place_may_be_handed_back_stays(plane: Plane, sent: tuple[SignedDevice, JobRef]) -> None:
    device, ref = sent
    device.report(report_of(ref, device.device_id))
    replace(plane, Intent.UNINSTALL)
    archive_now(plane.services)
    assert ref.job_id in job_ids(plane), "the one that replaced it was not sent"
    plane.dispatch()
    archive_now(plane.services)
    assert ref.job_id not in job_ids(plane)


def test_a_job_that_a_tally_counts_stays_until_it_is_counted_out(
    plane: Plane, replaced: tuple[SignedDevice, JobRef]
) -> None:
    _, ref = replaced
    with plane.services.database.transaction() as session:
        session.execute(update(Job).where(Job.id == ref.job_id).values(tallied_as="finished///"))
        session.execute(update(Job).where(Job.id == ref.job_id).values(changed_at=plane.clock.now() - LONG_AGO))
    archive_now(plane.services)
    assert ref.job_id in job_ids(plane)


def put(plane: Plane, device_id: str, ages: list[int]) -> None:
    """Archived jobs that were replaced so many days ago."""
    with plane.services.database.transaction() as session:
        session.add_all(
            ArchivedJob(
                id=f"job-{age}", device_id=device_id, replaced_at=days_ago(plane, age), document=f'{{"a":{age}}}'
            )
            for age in ages
        )


def days_ago(plane: Plane, days: int) -> datetime:
    return plane.clock.now() - timedelta(days=days)


def test_the_archive_is_read_in_parts_the_oldest_first(plane: Plane, sent: tuple[SignedDevice, JobRef]) -> None:
    ages = list(range(1, 450))
    put(plane, sent[0].device_id, ages)
    assert [one["a"] for one in archived(plane)] == ages[::-1]
    assert [one["a"] for one in archived(plane, replaced_before=days_ago(plane, 440))] == ages[:439:-1]
    assert archived(plane, device_id="another") == []


def test_pruning_deletes_the_oldest(plane: Plane, sent: tuple[SignedDevice, JobRef]) -> None:
    put(plane, sent[0].device_id, [10, 20, 30, 40])
    with plane.services.database.transaction() as session:
        assert prune(session, replaced_before=days_ago(plane, 15), limit=2) == 2
    assert [one["a"] for one in archived(plane)] == [20, 10]
