"""Reports and progress on real databases: stored once, however often and however oddly they come."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from contract.errors import DocumentError, NotFoundError, TrustError
from contract.jobs import JobRef, JobState
from contract.phases import Phase
from contract.report import ErrorReport, PhaseOutcome, Report
from contract.states import Intent, Outcome
from contract.uplink import ProgressBatch
from control.answers.job_filter import JobFilter
from control.answers.jobs import device_jobs, list_jobs
from control.answers.moment import this_moment
from control.answers.pages import PageRequest
from control.database.tables import Device, Job, PhaseRow, ReportRow
from control.views.jobs import JobDetail
from tests.control.plane import Plane, failed_report_of, phase_record, progress_of, report_of, retry_at
from tests.control.words import take_progress, take_report


@pytest.fixture
def running(either_plane: Plane) -> tuple[Plane, Device, JobRef]:
    """A device that was sent a job."""
    plane = either_plane
    plane.publish()
    (device_id,) = plane.add_devices(plane.group("desks"), ["desk-1"])
    plane.assign("desks")
    plane.plan()
    ((_, ref),) = plane.dispatch()
    with plane.services.database.snapshot() as session:
        return plane, session.get_one(Device, device_id), ref


def detail(plane: Plane, device: Device) -> JobDetail:
    with plane.services.database.snapshot() as session:
        (job,) = device_jobs(session, device.id, this_moment(plane.services))
    return job


def count(plane: Plane, table: type[ReportRow] | type[PhaseRow]) -> int:
    with plane.services.database.snapshot() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def take(plane: Plane, device: Device, report: Report) -> bool:
    with plane.services.database.transaction() as session:
        return take_report(session, session.get_one(Device, device.id), report, plane.clock.now()).new


def test_a_report_is_stored_once(running: tuple[Plane, Device, JobRef]) -> None:
    plane, device, ref = running
    report = report_of(ref, device.id)
    assert [take(plane, device, report), take(plane, device, report)] == [True, False]
    assert count(plane, ReportRow) == 1
    assert detail(plane, device).outcome is Outcome.INSTALLED


def test_phases_come_with_progress_and_with_the_report_and_are_kept_once(
    running: tuple[Plane, Device, JobRef],
) -> None:
    plane, device, ref = running
    early = phase_record(Phase.DOWNLOAD, bytes_done=10, summary="10 bytes")
    with plane.services.database.transaction() as session:
        batch = ProgressBatch(items=(progress_of(ref, Phase.DOWNLOAD, record=early),))
        take_progress(session, session.get_one(Device, device.id), batch, plane.clock.now())
    take(plane, device, report_of(ref, device.id, phases=(early, phase_record(Phase.INSTALL))))
    phases = detail(plane, device).phases
    assert sorted((phase.phase, phase.bytes_done) for phase in phases) == [("download", 10), ("install", 0)]
    assert {phase.outcome for phase in phases} == {PhaseOutcome.DONE}


def test_a_report_that_names_another_device_is_refused(running: tuple[Plane, Device, JobRef]) -> None:
    plane, device, ref = running
    with pytest.raises(TrustError):
        take(plane, device, report_of(ref, str(uuid4())))


def test_a_report_about_no_job_is_refused(running: tuple[Plane, Device, JobRef]) -> None:
    plane, device, _ = running
    nowhere = JobRef(job_id=str(uuid4()), generation=1, attempt=1)
    with pytest.raises(NotFoundError):
        take(plane, device, report_of(nowhere, device.id))
    assert count(plane, ReportRow) == 0


def test_a_report_about_a_cancelled_job_is_kept_and_revives_nothing(running: tuple[Plane, Device, JobRef]) -> None:
    plane, device, ref = running
    with plane.services.database.transaction() as session:
        session.get_one(Job, ref.job_id).state = JobState.CANCELLED
    assert take(plane, device, report_of(ref, device.id))
    assert detail(plane, device).state is JobState.CANCELLED


def test_text_and_numbers_no_database_likes_do_not_fail_a_report(running: tuple[Plane, Device, JobRef]) -> None:
    plane, device, ref = running
    error = ErrorReport(code="x\0" * 200, number=0xFFFFFFFF, phase=Phase.INSTALL, detail="a\0b", raw_exit_code=-(2**31))
    record = phase_record(summary="nul \0 inside")
    report = failed_report_of(ref, device.id, next_action=None).model_copy(
        update={"error": error, "phases": (record,), "raw_exit_code": 2**32 - 1, "output_tail": "\0"}
    )
    assert take(plane, device, report)
    job = detail(plane, device)
    assert (job.error_number, job.raw_exit_code, job.error_detail) == (0xFFFFFFFF, 2**32 - 1, "a�b")
    assert job.hint == "", "an error this side does not know has no hint"


@pytest.mark.parametrize("field", ["raw_exit_code", "bytes_downloaded", "sequence", "revision"])
def test_a_number_no_column_can_hold_is_refused(running: tuple[Plane, Device, JobRef], field: str) -> None:
    plane, device, ref = running
    with pytest.raises(DocumentError, match="64 bits"):
        take(plane, device, report_of(ref, device.id, **{field: 2**63}))


def test_progress_tells_of_several_jobs_and_passes_over_strangers(running: tuple[Plane, Device, JobRef]) -> None:
    plane, device, ref = running
    stranger = JobRef(job_id=str(uuid4()), generation=1, attempt=1)
    batch = ProgressBatch(items=(progress_of(stranger), progress_of(ref, Phase.INSTALL, sequence=2), progress_of(ref)))
    with plane.services.database.transaction() as session:
        assert take_progress(session, session.get_one(Device, device.id), batch, plane.clock.now()) == 2
    assert detail(plane, device).phase is Phase.INSTALL


def test_the_status_shows_the_newest_job_and_the_devices_page_all_of_them(
    running: tuple[Plane, Device, JobRef],
) -> None:
    plane, device, ref = running
    take(plane, device, report_of(ref, device.id))
    plane.clock.advance(timedelta(minutes=1))
    plane.assign("desks", Intent.UNINSTALL)
    plane.plan()
    with plane.services.database.snapshot() as session:
        shown = list_jobs(session, JobFilter(), this_moment(plane.services), PageRequest()).items
        known = device_jobs(session, device.id, this_moment(plane.services))
    assert [job.intent for job in shown] == [Intent.UNINSTALL]
    assert [job.intent for job in known] == [Intent.REQUIRED, Intent.UNINSTALL]


def test_the_devices_page_has_the_installers_last_words_of_the_newest_attempt(
    running: tuple[Plane, Device, JobRef],
) -> None:
    plane, device, ref = running
    assert detail(plane, device).output_tail == ""
    for attempt, words in ((1, "first"), (2, "second")):
        at = ref.model_copy(update={"attempt": attempt})
        again = retry_at(plane.clock.now(), at)
        take(plane, device, failed_report_of(at, device.id, next_action=again, output_tail=words))
    assert detail(plane, device).output_tail == "second"
