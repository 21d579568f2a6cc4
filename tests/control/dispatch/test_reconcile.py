"""Reconciling: what an online device is silent about is sent anew; older words then change nothing."""

from collections.abc import Callable, Collection
from datetime import timedelta

import pytest

from contract.jobs import JobRef
from contract.phases import Phase
from contract.queues import ControlTask
from control.answers.job_filter import JobFilter
from control.answers.jobs import list_jobs
from control.answers.moment import this_moment
from control.answers.pages import PageRequest
from control.steering.actions import Wish, cancel_jobs
from control.views.jobs import JobView
from tests.control.plane import (
    Plane,
    RecordingInspector,
    SignedDevice,
    failed_report_of,
    progress_of,
    report_of,
    retry_at,
)

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
        (job,) = list_jobs(session, JobFilter(), this_moment(plane.services), PageRequest()).items
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


def test_what_the_broker_has_lost_is_sent_anew_within_a_minute(plane: Plane, sent: tuple[SignedDevice, JobRef]) -> None:
    device, ref = sent
    plane.inspector.emptied = {device.device_id}
    plane.reconcile()
    assert plane.dispatch() == [], "it may have been taken this very moment"
    plane.clock.advance(timedelta(seconds=31))
    plane.reconcile()
    ((_, again),) = plane.dispatch()
    assert again == JobRef(job_id=ref.job_id, generation=2, attempt=1)
    assert only_job(plane).generation_reason == "reconciler"


def test_a_wait_that_the_broker_has_lost_comes_back_at_its_time(
    plane: Plane, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = sent
    at = plane.clock.now() + timedelta(days=1)
    device.report(failed_report_of(ref, device.device_id, next_action=retry_at(at, ref)))
    plane.inspector.emptied = {device.device_id}
    device.stay_online(plane.clock, timedelta(days=1))
    plane.reconcile()
    assert (only_job(plane).state, plane.dispatch()) == ("waiting", [])
    plane.clock.advance(timedelta(seconds=31))
    plane.reconcile()
    assert [again.generation for _, again in plane.dispatch()] == [2]


def test_a_broker_that_does_not_answer_only_puts_that_off(plane: Plane, sent: tuple[SignedDevice, JobRef]) -> None:
    device, _ = sent
    plane.inspector.emptied, plane.inspector.down = {device.device_id}, True
    plane.clock.advance(timedelta(minutes=1))
    plane.reconcile()
    assert only_job(plane).generation == 1
    plane.inspector.down = False
    plane.reconcile()
    assert only_job(plane).generation == 2


def test_a_running_installer_keeps_its_job_until_its_agent_has_started_again(
    plane: Plane, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = sent
    device.progress(progress_of(ref, Phase.INSTALL))
    plane.inspector.emptied = {device.device_id}
    plane.clock.advance(timedelta(minutes=5))
    plane.reconcile()
    assert only_job(plane).state == "running"
    device.check_in()
    plane.reconcile()
    assert (only_job(plane).state, only_job(plane).generation) == ("planned", 2)


def test_a_phase_that_takes_too_long_is_shown_as_overdue_and_sent_anew(
    plane: Plane, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = sent
    device.progress(progress_of(ref, Phase.POLL))
    device.stay_online(plane.clock, timedelta(minutes=16))
    assert (only_job(plane).state, only_job(plane).waiting_for) == ("running", "overdue")
    plane.reconcile()
    assert (only_job(plane).state, only_job(plane).generation_reason) == ("planned", "reconciler")


def test_a_download_that_moves_is_not_overdue_however_long_it_takes(
    plane: Plane, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = sent
    for number in range(1, 20):
        device.progress(progress_of(ref, Phase.DOWNLOAD, number, bytes_done=number))
        device.stay_online(plane.clock, timedelta(minutes=50))
        plane.reconcile()
    assert (only_job(plane).state, only_job(plane).waiting_for) == ("running", "phase")


def test_a_phase_that_begins_again_and_again_and_never_gets_on_is_overdue(
    plane: Plane, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = sent
    for number in range(1, 5):
        device.progress(progress_of(ref, Phase.POLL, number))
        device.stay_online(plane.clock, timedelta(minutes=5))
    plane.reconcile()
    assert only_job(plane).generation == 2


def test_a_cancelled_job_of_which_nothing_is_left_is_settled_without_its_device(
    plane: Plane, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = sent
    moment = this_moment(plane.services)
    cancel_jobs(plane.services.database, [ref.job_id], Wish(moment.now, moment.online_since))
    plane.clock.advance(timedelta(minutes=1))
    plane.reconcile()
    assert only_job(plane).state == "cancelling"
    plane.inspector.emptied = {device.device_id}
    plane.reconcile()
    assert (only_job(plane).state, only_job(plane).cancel_reason, device.orders()) == ("cancelled", "operator", ())


def test_what_was_heard_of_while_the_broker_was_asked_is_left(plane: Plane, sent: tuple[SignedDevice, JobRef]) -> None:
    device, ref = sent
    plane.clock.advance(timedelta(minutes=1))

    class SlowInspector(RecordingInspector):
        def without_messages(self, device_ids: Collection[str]) -> frozenset[str]:
            device.progress(progress_of(ref))
            return frozenset(device_ids)

    plane.inspector = SlowInspector()
    plane.reconcile()
    assert (only_job(plane).state, only_job(plane).generation) == ("running", 1)
