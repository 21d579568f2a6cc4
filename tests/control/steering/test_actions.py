"""Retry and cancel on real databases, through the API, with a device that hears its orders."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from contract.jobs import JobRef
from contract.queues import ControlTask
from contract.states import Intent, Outcome
from contract.uplink import (
    CONTENT_INFO_PATH,
    GENERATION_REASON_HEADER,
    POLICY_PATH,
    CheckInReply,
    JobOrder,
    OrderKind,
)
from control.database.tables import Role
from control.fleet.devices import find_device
from control.views.jobs import JobDetail
from control.views.steering import SteeringReply
from tests.control.plane import Plane, SignedDevice, failed_report_of, progress_of, report_of, retry_at

Enrolled = Callable[..., SignedDevice]
Steer = Callable[..., httpx.Response]


@pytest.fixture
def steer(client: httpx.Client, operator: Callable[[Role], dict[str, str]]) -> Steer:
    """POST as an operator."""
    headers = operator(Role.OPERATOR)

    def post(path: str, **body: Any) -> httpx.Response:
        return client.post(f"/v1/jobs/{path}", json=body, headers=headers)

    return post


@pytest.fixture
def job_of(client: httpx.Client, operator: Callable[[Role], dict[str, str]]) -> Callable[[JobRef], JobDetail]:
    headers = operator(Role.VIEWER)

    def get(ref: JobRef) -> JobDetail:
        return JobDetail.model_validate_json(client.get(f"/v1/jobs/{ref.job_id}", headers=headers).content)

    return get


@pytest.fixture
def planned(plane: Plane, enrolled: Enrolled) -> SignedDevice:
    plane.publish()
    device = enrolled(group_id=plane.group("desks"))
    plane.assign("desks")
    plane.plan()
    return device


@pytest.fixture
def sent(plane: Plane, planned: SignedDevice) -> tuple[SignedDevice, JobRef]:
    ((_, ref),) = plane.dispatch()
    plane.queue.asked.clear()
    return planned, ref


def changes(response: httpx.Response) -> dict[str, int]:
    assert response.status_code == 200, response.text
    reply = SteeringReply.model_validate_json(response.content)
    return {change.value: count for change, count in reply.changes.items()}


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def wait_a_day(plane: Plane, device: SignedDevice, ref: JobRef) -> None:
    at = plane.clock.now() + timedelta(days=1)
    device.report(failed_report_of(ref, device.device_id, next_action=retry_at(at, ref)))


def test_retry_ends_a_wait_of_a_day_with_a_new_chain_at_once(
    plane: Plane, sent: tuple[SignedDevice, JobRef], steer: Steer, job_of: Callable[[JobRef], JobDetail]
) -> None:
    device, ref = sent
    wait_a_day(plane, device, ref)
    assert changes(steer(f"{ref.job_id}/retry")) == {"resent": 1}
    assert plane.queue.asked == [ControlTask.DISPATCH]
    ((_, again),) = plane.dispatch()
    assert again == JobRef(job_id=ref.job_id, generation=2, attempt=1)
    assert job_of(ref).generation_reason == "operator"
    path = POLICY_PATH.format(job_id=ref.job_id)
    assert device.request("GET", f"{path}?generation=2").headers[GENERATION_REASON_HEADER] == "operator"
    assert changes(steer(f"{ref.job_id}/retry")) == {"unchanged": 1}
    assert plane.dispatch() == []


def test_a_device_that_is_offline_gets_the_retry_when_it_checks_in(
    plane: Plane, sent: tuple[SignedDevice, JobRef], steer: Steer, job_of: Callable[[JobRef], JobDetail]
) -> None:
    device, ref = sent
    plane.clock.advance(timedelta(days=2))
    assert changes(steer("retry", selection={"device": "desk-1"})) == {"resent": 1}
    assert plane.dispatch() == []
    assert job_of(ref).waiting_for == "device"
    assert CheckInReply.from_json(device.check_in().content).jobs_sent == 1
    assert [sent.generation for _, sent in plane.dispatch()] == [2]


def test_what_no_device_has_is_cancelled_at_once_and_not_planned_again(
    plane: Plane, planned: SignedDevice, steer: Steer
) -> None:
    assert changes(steer("cancel", selection={"app": "Editor"})) == {"cancelled": 1}
    assert planned.orders() == ()
    plane.plan()
    assert plane.dispatch() == []
    assert changes(steer("cancel", selection={"app": "Editor"})) == {"unchanged": 1}
    assert changes(steer("retry", selection={"app": "Editor"})) == {"resent": 1}
    assert len(plane.dispatch()) == 1


def test_a_cancel_holds_until_something_else_is_wanted(plane: Plane, planned: SignedDevice, steer: Steer) -> None:
    steer("cancel", selection={"app": "Editor"})
    plane.assign("desks", Intent.AVAILABLE)
    plane.plan()
    plane.assign("desks", Intent.REQUIRED)
    plane.plan()
    ((_, ref),) = plane.dispatch()
    steer("cancel", selection={"app": "Editor"})
    planned.report(report_of(ref, planned.device_id, outcome=Outcome.CANCELLED))
    plane.plan()
    assert plane.dispatch() == []
    plane.publish(displayVersion="2.0")
    plane.plan()
    assert len(plane.dispatch()) == 1


def test_a_device_is_told_and_the_job_is_cancelling_until_it_confirms(
    plane: Plane, sent: tuple[SignedDevice, JobRef], steer: Steer, job_of: Callable[[JobRef], JobDetail]
) -> None:
    device, ref = sent
    device.progress(progress_of(ref))
    assert changes(steer(f"{ref.job_id}/cancel")) == {"cancelling": 1}
    order = JobOrder(job_id=ref.job_id, generation=1, kind=OrderKind.CANCEL)
    assert device.orders() == (order,)
    assert CheckInReply.from_json(device.check_in().content).orders == (order,)
    job = job_of(ref)
    assert (job.state, job.waiting_for, job.cancel_reason) == ("cancelling", "cancellation", "operator")
    assert "let go of it" in job.next_action
    for path in (POLICY_PATH, CONTENT_INFO_PATH):
        method = "GET" if path is POLICY_PATH else "POST"
        assert device.request(method, path.format(job_id=ref.job_id)).status_code == 404
    device.report(report_of(ref, device.device_id, outcome=Outcome.CANCELLED))
    assert (job_of(ref).state, device.orders()) == ("cancelled", ())
    plane.plan()
    assert plane.dispatch() == []


def test_force_makes_the_order_a_stop_and_never_takes_it_back(sent: tuple[SignedDevice, JobRef], steer: Steer) -> None:
    device, ref = sent
    for force, kind in ((False, OrderKind.CANCEL), (True, OrderKind.STOP), (False, OrderKind.STOP)):
        steer(f"{ref.job_id}/cancel", force=force)
        assert [order.kind for order in device.orders()] == [kind]


def test_retry_withdraws_the_order_and_what_it_said_concerns_only_older_generations(
    plane: Plane, sent: tuple[SignedDevice, JobRef], steer: Steer
) -> None:
    device, ref = sent
    steer(f"{ref.job_id}/cancel")
    assert changes(steer(f"{ref.job_id}/retry")) == {"resent": 1}
    assert device.orders() == ()
    ((_, again),) = plane.dispatch()
    assert again.generation > ref.generation
    device.report(report_of(ref, device.device_id, outcome=Outcome.CANCELLED))
    plane.plan()
    assert plane.dispatch() == []


def test_what_cannot_be_done_is_said_and_changes_nothing(
    sent: tuple[SignedDevice, JobRef], steer: Steer, job_of: Callable[[JobRef], JobDetail]
) -> None:
    device, ref = sent
    device.progress(progress_of(ref))
    assert code(steer(f"{ref.job_id}/retry")) == (409, "job-under-way")
    device.report(report_of(ref, device.device_id))
    before = job_of(ref)
    assert code(steer(f"{ref.job_id}/retry")) == (409, "job-ended")
    assert code(steer(f"{ref.job_id}/cancel")) == (409, "job-ended")
    assert job_of(ref) == before
    assert code(steer(f"{uuid4()}/retry")) == (404, "unknown-job")
    assert code(steer("retry", selection={})) == (422, "document-invalid")
    assert code(steer("retry", selection={"app": "None"})) == (404, "unknown-app")
    assert code(steer("cancel", selection={"app": "Editor"}, force="perhaps")) == (422, "document-invalid")
    assert changes(steer(f"{ref.job_id}/retry", force=True)) == {"resent": 1}


def test_a_viewer_may_look_and_not_step_in(
    client: httpx.Client, operator: Callable[[Role], dict[str, str]], sent: tuple[SignedDevice, JobRef]
) -> None:
    headers = operator(Role.VIEWER)
    for path in ("retry", "cancel"):
        assert client.post(f"/v1/jobs/{sent[1].job_id}/{path}", json={}, headers=headers).status_code == 403


def test_a_dry_run_says_how_many_and_changes_nothing(
    plane: Plane, enrolled: Enrolled, sent: tuple[SignedDevice, JobRef], steer: Steer
) -> None:
    device, ref = sent
    wait_a_day(plane, device, ref)
    enrolled("desk-2", plane.group("desks"))
    plane.plan()
    assert changes(steer("cancel", selection={"group": "desks"}, dry_run=True)) == {"cancelling": 1, "cancelled": 1}
    assert changes(steer("retry", selection={"group": "desks"}, dry_run=True)) == {"resent": 1, "unchanged": 1}
    assert (device.orders(), [name for name, _ in plane.dispatch()]) == ((), [device_id_of(plane, "desk-2")])


def device_id_of(plane: Plane, name: str) -> str:
    with plane.services.database.snapshot() as session:
        return find_device(session, name).id


def test_many_jobs_are_counted_and_the_refused_are_named_first(
    plane: Plane, enrolled: Enrolled, sent: tuple[SignedDevice, JobRef], steer: Steer
) -> None:
    device, ref = sent
    device.report(report_of(ref, device.device_id))
    for number in range(2, 5):
        enrolled(f"desk-{number}", plane.group("desks"))
    plane.plan()
    reply = SteeringReply.model_validate_json(steer("cancel", selection={"group": "desks"}).content)
    assert (reply.matched, reply.changes) == (4, {"refused": 1, "cancelled": 3})
    assert (reply.jobs[0].device, reply.jobs[0].refusal) == ("desk-1", "job-ended")


def test_a_revision_waits_until_the_device_has_let_go_of_the_older_one(
    plane: Plane, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = sent
    device.progress(progress_of(ref))
    plane.publish(displayVersion="2.0")
    plane.plan()
    assert plane.dispatch() == []
    assert [order.job_id for order in device.orders()] == [ref.job_id]
    device.report(report_of(ref, device.device_id, outcome=Outcome.CANCELLED))
    assert len(plane.dispatch()) == 1


def test_a_revision_ends_a_wait_at_once(
    plane: Plane, sent: tuple[SignedDevice, JobRef], job_of: Callable[[JobRef], JobDetail]
) -> None:
    device, ref = sent
    wait_a_day(plane, device, ref)
    plane.publish(displayVersion="2.0")
    plane.plan()
    ((_, newer),) = plane.dispatch()
    assert job_of(newer).generation_reason == "revision"
    assert job_of(ref).state == "cancelled"
    assert [order.job_id for order in device.orders()] == [ref.job_id], "the chain that waits is void"


def test_a_retry_that_is_lost_on_its_way_is_sent_anew_as_the_retry_it_is(
    plane: Plane, sent: tuple[SignedDevice, JobRef], steer: Steer, job_of: Callable[[JobRef], JobDetail]
) -> None:
    device, ref = sent
    wait_a_day(plane, device, ref)
    steer(f"{ref.job_id}/retry")
    plane.dispatch()
    plane.inspector.emptied = {device.device_id}
    plane.clock.advance(timedelta(seconds=31))
    plane.reconcile()
    ((_, again),) = plane.dispatch()
    assert (again.generation, job_of(ref).generation_reason) == (3, "operator")
