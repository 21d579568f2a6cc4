"""Reconciling: what an online device is silent about is sent anew; older words then change nothing."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from contract.jobs import JobRef
from contract.queues import ControlTask
from control.answers.jobs import JobFilter, list_jobs
from control.answers.moment import this_moment
from control.views import JobView
from tests.control.plane import Plane, SignedDevice, failed_report_of, progress_of, report_of, retry_at

Enrolled = Callable[..., SignedDevice]


@pytest.fixture
def sent(plane: Plane, enrolled: Enrolled) -> tuple[SignedDevice, JobRef]:
    plane.publish()
    device = enrolled(group_id=plane.group("desks"))
    plane.assign("desks")
    plane.plan()
    ((_, ref),) = plane.dispatch()
    plane.queue.asked.clear()
    return device, ref


def only_job(plane: Plane) -> JobView:
    with plane.services.database.snapshot() as session:
        (job,) = list_jobs(session, JobFilter(), this_moment(plane.services))
    return job


def test_a_silent_job_is_sent_anew_with_a_raised_generation(plane: Plane, sent: tuple[SignedDevice, JobRef]) -> None:
    device, ref = sent
    device.stay_online(plane.clock, timedelta(minutes=16))
    plane.reconcile()
    assert plane.queue.asked == [ControlTask.DISPATCH]
    ((_, again),) = plane.dispatch()
    assert again == JobRef(job_id=ref.job_id, generation=2, attempt=1)
    plane.reconcile()
    assert plane.dispatch() == []


def test_a_job_of_an_offline_device_is_left(plane: Plane, sent: tuple[SignedDevice, JobRef]) -> None:
    plane.clock.advance(timedelta(minutes=16))
    plane.reconcile()
    assert only_job(plane).generation == 1


def test_a_sign_of_life_puts_it_off(plane: Plane, sent: tuple[SignedDevice, JobRef]) -> None:
    device, ref = sent
    device.stay_online(plane.clock, timedelta(minutes=10))
    device.progress(progress_of(ref))
    device.stay_online(plane.clock, timedelta(minutes=10))
    plane.reconcile()
    assert only_job(plane).generation == 1


def test_words_of_the_older_generation_are_kept_but_change_nothing(
    plane: Plane, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = sent
    device.stay_online(plane.clock, timedelta(minutes=16))
    plane.reconcile()
    assert device.report(report_of(ref, device.device_id)).json() == {"stored": True, "new": True}
    assert device.progress(progress_of(ref, sequence=9)).json() == {"stored": 1, "unknown": 0}
    job = only_job(plane)
    assert (job.state, job.generation, job.outcome) == ("planned", 2, None)


def test_a_waiting_job_is_the_devices_business_until_well_past_its_time(
    plane: Plane, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = sent
    at = plane.clock.now() + timedelta(hours=1)
    device.report(failed_report_of(ref, device.device_id, next_action=retry_at(at, ref)))
    device.stay_online(plane.clock, timedelta(hours=1, minutes=14))
    plane.reconcile()
    assert only_job(plane).state == "waiting"
    plane.clock.advance(timedelta(minutes=2))
    plane.reconcile()
    assert (only_job(plane).state, only_job(plane).generation) == ("planned", 2)
