"""What devices say and hear, through the API, signed as real devices sign."""

import hashlib
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from contract.jobs import JobRef
from contract.phases import Phase
from contract.policy_verification import read_envelope, verify_policy
from contract.queues import ControlTask
from contract.sealing import unseal
from contract.states import Intent
from contract.trusted_keys import first_trust
from contract.uplink import (
    CHECK_IN_PATH,
    CONTENT_INFO_PATH,
    MAX_BODY_BYTES,
    POLICY_PATH,
    PROGRESS_PATH,
    REPORTS_PATH,
    CheckInReply,
    ContentInfo,
    Problem,
    content_key_context,
)
from control.answers.job_filter import JobFilter
from control.answers.jobs import list_jobs
from control.answers.moment import this_moment
from control.answers.pages import PageRequest
from control.database.tables import Device, Role
from control.fleet.known_devices import KEPT_SECONDS
from control.views.jobs import JobView
from storage.intunewin.reader import read_metadata
from tests.control.plane import Plane, SignedDevice, progress_of, report_of

Enrolled = Callable[..., SignedDevice]


@pytest.fixture
def sent(plane: Plane, enrolled: Enrolled) -> tuple[SignedDevice, JobRef]:
    """A device that was just sent a job."""
    plane.publish()
    group_id = plane.group("desks")
    device = enrolled(group_id=group_id)
    plane.assign("desks")
    device.check_in()
    ((_, ref),) = plane.dispatch()
    return device, ref


def jobs(plane: Plane) -> list[JobView]:
    with plane.services.database.snapshot() as session:
        return list(list_jobs(session, JobFilter(), this_moment(plane.services), PageRequest()).items)


def problem(response: httpx.Response) -> Problem:
    assert response.headers["Content-Type"] == "application/problem+json"
    return Problem.model_validate_json(response.content)


def test_a_job_goes_from_assignment_to_stored_report(plane: Plane, sent: tuple[SignedDevice, JobRef]) -> None:
    device, ref = sent
    assert plane.queue.asked == [ControlTask.DISPATCH]
    assert device.progress(progress_of(ref, Phase.DOWNLOAD, bytes_done=10, bytes_total=20)).status_code == 200
    (running,) = jobs(plane)
    assert (running.state, running.phase, running.bytes_done) == ("running", Phase.DOWNLOAD, 10)
    assert device.report(report_of(ref, device.device_id)).status_code == 200
    (finished,) = jobs(plane)
    assert (finished.state, finished.outcome, finished.raw_exit_code) == ("finished", "installed", 0)


def test_check_in_tells_how_many_jobs_come_and_when_to_come_again(plane: Plane, enrolled: Enrolled) -> None:
    plane.publish()
    device = enrolled(group_id=plane.group("desks"))
    plane.assign("desks")
    reply = CheckInReply.from_json(device.check_in().content)
    assert (reply.jobs_sent, reply.check_in_interval_seconds) == (1, 600)
    assert reply.server_time == plane.clock.now()


def test_the_policy_is_signed_by_a_key_that_the_device_pinned(plane: Plane, sent: tuple[SignedDevice, JobRef]) -> None:
    device, ref = sent
    response = device.request("GET", POLICY_PATH.format(job_id=ref.job_id))
    assert device.reply is not None
    policy = verify_policy(read_envelope(response.content), first_trust(device.reply.trusted_keys), plane.clock.now())
    assert (policy.app_name, policy.revision, policy.intent) == ("Editor", 1, Intent.REQUIRED)


def test_a_policy_the_device_has_is_not_sent_again(sent: tuple[SignedDevice, JobRef]) -> None:
    device, ref = sent
    path = POLICY_PATH.format(job_id=ref.job_id)
    first = device.request("GET", path)
    digest = hashlib.sha256(first.content).hexdigest()
    assert first.headers["ETag"] == f'"{digest}"'
    again = device.request("GET", path, headers={"If-None-Match": f'"{digest}"'})
    assert (again.status_code, again.content) == (304, b"")
    other = device.request("GET", path, headers={"If-None-Match": '"0123"'})
    assert other.status_code == 200


def test_content_info_opens_with_the_devices_key_and_leads_to_the_content(
    plane: Plane, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = sent
    response = device.request("POST", CONTENT_INFO_PATH.format(job_id=ref.job_id))
    info = ContentInfo.from_json(response.content)
    blob = plane.store.fetch(info.url)
    assert len(blob) == info.size
    context = content_key_context(ref.job_id, device.device_id, hashlib.sha256(blob).hexdigest())
    assert unseal(info.sealed_key, device.unsealer, context) == read_metadata(plane.package).encryption.encryption_key
    assert info.expires_at == plane.clock.now() + timedelta(minutes=15)


def test_a_generation_that_is_void_gets_no_content(plane: Plane, sent: tuple[SignedDevice, JobRef]) -> None:
    device, ref = sent
    device.stay_online(plane.clock, timedelta(minutes=16))
    plane.reconcile()
    path = CONTENT_INFO_PATH.format(job_id=ref.job_id)
    refused = device.request("POST", f"{path}?generation=1")
    assert (refused.status_code, problem(refused).code) == (404, "unknown-job")
    assert device.request("POST", f"{path}?generation=2").status_code == 200


@pytest.mark.parametrize("path", [POLICY_PATH, CONTENT_INFO_PATH])
def test_another_devices_job_is_refused(sent: tuple[SignedDevice, JobRef], enrolled: Enrolled, path: str) -> None:
    _, ref = sent
    stranger = enrolled("desk-2")
    response = stranger.request("GET" if path == POLICY_PATH else "POST", path.format(job_id=ref.job_id))
    assert (response.status_code, problem(response).code) == (404, "unknown-job")


def test_a_report_about_another_devices_job_is_refused(
    plane: Plane, sent: tuple[SignedDevice, JobRef], enrolled: Enrolled
) -> None:
    owner, ref = sent
    stranger = enrolled("desk-2")
    own_name = stranger.report(report_of(ref, stranger.device_id))
    foreign_name = stranger.report(report_of(ref, owner.device_id))
    assert (own_name.status_code, problem(own_name).code) == (404, "unknown-job")
    assert (foreign_name.status_code, problem(foreign_name).code) == (401, "signature-refused")
    assert [job.state for job in jobs(plane)] == ["sent"]


def test_progress_about_another_devices_job_changes_nothing(
    plane: Plane, sent: tuple[SignedDevice, JobRef], enrolled: Enrolled
) -> None:
    _, ref = sent
    response = enrolled("desk-2").progress(progress_of(ref))
    assert response.json() == {"stored": 0, "unknown": 1}
    assert [job.state for job in jobs(plane)] == ["sent"]


def test_a_finished_job_hands_out_nothing_any_more(sent: tuple[SignedDevice, JobRef]) -> None:
    device, ref = sent
    device.report(report_of(ref, device.device_id))
    response = device.request("POST", CONTENT_INFO_PATH.format(job_id=ref.job_id))
    assert (response.status_code, problem(response).code) == (404, "unknown-job")


@pytest.mark.behaviour("B-22")
@pytest.mark.parametrize("path", [CHECK_IN_PATH, PROGRESS_PATH, REPORTS_PATH])
def test_an_unsigned_request_is_refused(client: httpx.Client, path: str) -> None:
    response = client.post(path, content=b"{}")
    assert (response.status_code, problem(response).code) == (401, "signature-refused")


def test_a_device_that_is_retired_here_is_refused_at_once(
    client: httpx.Client, enrolled: Enrolled, operator: Callable[[Role], dict[str, str]]
) -> None:
    device = enrolled()
    assert device.check_in().status_code == 200
    client.post(f"/v1/devices/{device.device_id}/retire", headers=operator(Role.ADMIN)).raise_for_status()
    assert device.check_in().status_code == 401


def test_a_device_that_another_process_retired_is_refused_within_a_minute(plane: Plane, enrolled: Enrolled) -> None:
    device = enrolled()
    assert device.check_in().status_code == 200
    with plane.services.database.transaction() as session:
        session.get_one(Device, device.device_id).retired_at = plane.clock.now()
    plane.clock.advance(timedelta(seconds=KEPT_SECONDS))
    assert device.check_in().status_code == 401
    assert timedelta(seconds=KEPT_SECONDS) < timedelta(minutes=1)


def test_an_unknown_device_is_refused(client: httpx.Client) -> None:
    stranger = SignedDevice(client, device_id="00000000-0000-0000-0000-000000000000")
    assert stranger.check_in().status_code == 401


def test_a_signed_body_that_is_no_document_is_answered_with_its_place(enrolled: Enrolled) -> None:
    response = enrolled().request("POST", REPORTS_PATH, b'{"job_id": 5}')
    assert (response.status_code, problem(response).code) == (422, "document-invalid")
    assert problem(response).place == "Report"


def test_a_body_that_is_too_large_is_refused_before_it_is_parsed(client: httpx.Client) -> None:
    response = client.post(REPORTS_PATH, content=b"x" * (MAX_BODY_BYTES + 1))
    assert (response.status_code, problem(response).code) == (413, "request-too-large")
