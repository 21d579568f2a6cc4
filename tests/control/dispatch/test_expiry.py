"""Expiry: what belongs to devices that do not come back ends; who comes back gets what is due anew."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from contract.jobs import JobRef
from control.answers.job_filter import JobFilter
from control.answers.jobs import device_jobs, list_jobs
from control.answers.moment import this_moment
from control.answers.pages import PageRequest
from control.steering.orders import forget_old_orders
from control.views.jobs import JobDetail, JobView
from tests.control.plane import Plane, SignedDevice, progress_of

Enrolled = Callable[..., SignedDevice]
MONTH = timedelta(days=30)


@pytest.fixture
def sent(plane: Plane, enrolled: Enrolled) -> tuple[SignedDevice, JobRef]:
    plane.publish()
    device = enrolled(group_id=plane.group("desks"))
    plane.assign("desks")
    plane.plan()
    ((_, ref),) = plane.dispatch()
    device.progress(progress_of(ref))
    return device, ref


def shown(plane: Plane) -> JobView:
    with plane.services.database.snapshot() as session:
        (job,) = list_jobs(session, JobFilter(), this_moment(plane.services), PageRequest()).items
    return job


def all_jobs(plane: Plane, device: SignedDevice) -> list[JobDetail]:
    with plane.services.database.snapshot() as session:
        return device_jobs(session, device.device_id, this_moment(plane.services))


def test_a_device_has_a_month(plane: Plane, sent: tuple[SignedDevice, JobRef]) -> None:
    plane.clock.advance(MONTH)
    plane.reconcile()
    assert (shown(plane).state, shown(plane).waiting_for) == ("running", "device")
    plane.clock.advance(timedelta(seconds=1))
    plane.reconcile()
    job = shown(plane)
    assert (job.state, job.cancel_reason, job.waiting_for) == ("cancelled", "expired", None)
    assert "silent for too long" in job.next_action


def test_while_it_is_away_nothing_is_planned_for_it_again(plane: Plane, sent: tuple[SignedDevice, JobRef]) -> None:
    plane.clock.advance(2 * MONTH)
    for _ in range(2):
        plane.reconcile()
        plane.plan()
    assert (shown(plane).state, plane.dispatch()) == ("cancelled", [])


def test_a_device_that_returns_voids_what_is_stale_and_gets_what_is_due(
    plane: Plane, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = sent
    plane.clock.advance(2 * MONTH)
    plane.reconcile()
    device.check_in()
    assert [order.job_id for order in device.orders()] == [ref.job_id]
    ((_, anew),) = plane.dispatch()
    assert anew.job_id != ref.job_id
    old, new = all_jobs(plane, device)
    assert (old.state, new.state, new.generation_reason) == ("cancelled", "sent", "restored")


def test_orders_about_what_is_long_over_are_forgotten(plane: Plane, sent: tuple[SignedDevice, JobRef]) -> None:
    device, _ = sent
    plane.clock.advance(2 * MONTH)
    plane.reconcile()
    device.check_in()
    device.stay_online(plane.clock, timedelta(hours=1))
    assert len(device.orders()) == 1
    with plane.services.database.transaction() as session:
        forget_old_orders(session, before=plane.clock.now())
    assert device.orders() == ()


def test_a_new_job_for_a_device_that_has_been_away_for_long_has_its_month_too(plane: Plane, enrolled: Enrolled) -> None:
    plane.publish()
    enrolled(group_id=plane.group("desks"))
    plane.clock.advance(2 * MONTH)
    plane.assign("desks")
    plane.plan()
    plane.reconcile()
    assert (shown(plane).state, shown(plane).waiting_for) == ("planned", "device")
