"""Devices that come back from an old image."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from contract.jobs import JobRef
from contract.states import Intent
from control.answers.jobs import device_jobs
from control.answers.moment import this_moment
from control.views.jobs import JobDetail
from tests.control.plane import MOMENT, Plane, SignedDevice, report_of

Enrolled = Callable[..., SignedDevice]
HOUR = timedelta(hours=1)


@pytest.fixture
def installed(plane: Plane, enrolled: Enrolled) -> tuple[SignedDevice, JobRef]:
    """A device that remembered up to MOMENT when it checked in, and has installed the app an hour later."""
    plane.publish()
    device = enrolled(group_id=plane.group("desks"))
    device.check_in(remembers_until=MOMENT)
    plane.assign("desks")
    plane.plan()
    ((_, ref),) = plane.dispatch()
    device.report(report_of(ref, device.device_id, started_at=MOMENT + HOUR))
    return device, ref


def only_job(plane: Plane, device: SignedDevice) -> JobDetail:
    with plane.services.database.snapshot() as session:
        (job,) = device_jobs(session, device.device_id, this_moment(plane.services))
    return job


def test_what_it_forgot_and_is_wanted_is_judged_anew(plane: Plane, installed: tuple[SignedDevice, JobRef]) -> None:
    device, ref = installed
    assert device.check_in(remembers_until=MOMENT).json()["jobs_sent"] == 1
    assert [again for _, again in plane.dispatch()] == [JobRef(job_id=ref.job_id, generation=2, attempt=1)]
    assert only_job(plane, device).generation_reason == "restored"
    assert device.check_in(remembers_until=MOMENT).json()["jobs_sent"] == 0, "it is the same image still"


def test_an_image_from_before_all_jobs_counts_too(plane: Plane, installed: tuple[SignedDevice, JobRef]) -> None:
    device, _ = installed
    assert device.check_in(remembers_until=None).json()["jobs_sent"] == 1


@pytest.mark.parametrize("later", [timedelta(), HOUR])
def test_a_device_that_remembers_is_left_alone(
    plane: Plane, installed: tuple[SignedDevice, JobRef], later: timedelta
) -> None:
    device, _ = installed
    assert device.check_in(remembers_until=MOMENT + HOUR + later).json()["jobs_sent"] == 0
    assert only_job(plane, device).state == "finished"


def test_what_is_no_longer_wanted_is_left_alone(plane: Plane, installed: tuple[SignedDevice, JobRef]) -> None:
    device, _ = installed
    plane.assign("desks", Intent.AVAILABLE)
    assert device.check_in(remembers_until=MOMENT).json()["jobs_sent"] == 0
    assert only_job(plane, device).state == "finished"
