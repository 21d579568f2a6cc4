"""Where jobs are, what went wrong how often, and why: over several devices in different places."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from contract.jobs import JobRef
from contract.phases import Phase
from contract.report import PhaseOutcome, PhaseRecord, WaitReason
from contract.states import Applicability, Outcome
from control.database.tables import Job, Role
from tests.control.plane import MOMENT, Plane, SignedDevice, failed_report_of, report_of, retry_at

Enrolled = Callable[..., SignedDevice]
Headers = Callable[[Role], dict[str, str]]

SUMMARY = "/v1/summary"


@pytest.fixture
def admin(client: httpx.Client, operator: Headers) -> httpx.Client:
    client.headers.update(operator(Role.ADMIN))
    return client


def requirement(words: str) -> PhaseRecord:
    return PhaseRecord(
        phase=Phase.REQUIREMENTS,
        outcome=PhaseOutcome.SETTLED,
        started_at=MOMENT,
        ended_at=MOMENT + timedelta(seconds=1),
        duration_seconds=1,
        summary=words,
    )


@pytest.fixture
def fleet(plane: Plane, enrolled: Enrolled) -> dict[str, SignedDevice]:
    """Five devices of which one has it, one has failed, one waits, one cannot have it, one has not answered."""
    plane.publish()
    desks = plane.group("desks")
    devices = {name: enrolled(name, desks) for name in ("done", "failed", "waits", "unfit", "silent")}
    plane.assign("desks")
    plane.plan()
    refs = dict(plane.dispatch())
    ref = {name: refs[device.device_id] for name, device in devices.items()}
    later = plane.clock.now() + timedelta(minutes=5)
    done, failed, waits, unfit = (devices[name] for name in ("done", "failed", "waits", "unfit"))
    done.report(report_of(ref["done"], done.device_id))
    grs = retry_at(later, ref["failed"]).model_copy(update={"reason": WaitReason.GRS})
    failed.report(failed_report_of(ref["failed"], failed.device_id, next_action=grs))
    waits.report(failed_report_of(ref["waits"], waits.device_id, next_action=retry_at(later, ref["waits"])))
    unfit.report(
        report_of(
            ref["unfit"],
            unfit.device_id,
            outcome=Outcome.REQUIREMENTS_NOT_MET,
            applicability=Applicability.FILE_RULE_NOT_MET,
            phases=(requirement("/etc/licence: not there, expected there"),),
        )
    )
    return devices


@pytest.mark.usefixtures("fleet")
def test_the_summary_counts_each_device_once(admin: httpx.Client) -> None:
    found = admin.get(SUMMARY).json()
    numbers = {name: found[name] for name in ("jobs", "done", "failed", "retrying", "not_applicable", "under_way")}
    assert numbers == {"jobs": 5, "done": 1, "failed": 1, "retrying": 1, "not_applicable": 1, "under_way": 1}
    assert found["offline"] == 0


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    ("query", "jobs"),
    [
        ({"app": "Editor"}, 5),
        ({"target": "Editor"}, 5),
        ({"target": "desks"}, 5),
        ({"target": "waits"}, 1),
        ({"group": "desks", "device": "done"}, 1),
        ({"state": "waiting"}, 2),
        ({"outcome": "failed"}, 2),
        ({"error_code": "installer-failed"}, 2),
        ({"error_code": "no-such-error"}, 0),
    ],
)
def test_a_query_chooses_the_jobs(admin: httpx.Client, query: dict[str, str], jobs: int) -> None:
    assert admin.get(SUMMARY, params=query).json()["jobs"] == jobs
    assert len(admin.get("/v1/status", params=query).json()["items"]) == jobs


def test_devices_that_are_offline_are_counted(
    plane: Plane, admin: httpx.Client, fleet: dict[str, SignedDevice]
) -> None:
    plane.clock.advance(timedelta(hours=1))
    fleet["silent"].check_in()
    found = admin.get(SUMMARY).json()
    assert (found["retrying"], found["under_way"], found["offline"]) == (1, 1, 1)


def test_an_empty_fleet_has_a_summary_too(admin: httpx.Client) -> None:
    found = admin.get(SUMMARY).json()
    assert (found["jobs"], found["counts"]) == (0, [])
    assert admin.get("/v1/errors").json() == []


@pytest.mark.parametrize("path", ["/v1/status", SUMMARY, "/v1/errors", "/v1/events"])
@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"target": "nobody"}, 404, "unknown-target"),
        ({"app": "Nothing"}, 404, "unknown-app"),
        ({"rollout": "Nothing"}, 404, "unknown-rollout"),
        ({"state": "somewhere"}, 422, "document-invalid"),
        ({"target": ""}, 422, "document-invalid"),
        ({"target": "x" * 201}, 422, "document-invalid"),
    ],
)
def test_what_is_wrong_with_a_query_is_said(
    admin: httpx.Client, path: str, query: dict[str, str], status: int, code: str
) -> None:
    response = admin.get(path, params=query)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_name_of_several_things_is_refused_with_the_choices(plane: Plane, admin: httpx.Client) -> None:
    plane.publish(name="desks")
    plane.group("desks")
    response = admin.get(SUMMARY, params={"target": "desks"})
    assert (response.status_code, response.json()["code"]) == (422, "target-ambiguous")
    assert response.json()["detail"] == "it is the name of an app and of a group; say which with --app"


@pytest.mark.usefixtures("fleet")
def test_errors_are_counted_by_code_phase_and_app_with_a_hint(admin: httpx.Client) -> None:
    (error,) = admin.get("/v1/errors").json()
    assert (error["code"], error["phase"], error["app"], error["jobs"]) == ("installer-failed", "install", "Editor", 2)
    assert error["devices"] == ["failed", "waits"]
    assert error["hint"]


def test_an_error_that_was_mended_is_one_of_the_past(
    plane: Plane, admin: httpx.Client, fleet: dict[str, SignedDevice]
) -> None:
    """However often the attempts of one job met it, it counts once."""
    with plane.services.database.snapshot() as session:
        job = session.scalars(select(Job).where(Job.device_id == fleet["waits"].device_id)).one()
        ref = JobRef(job_id=job.id, generation=job.generation, attempt=2)
    fleet["waits"].report(failed_report_of(ref, fleet["waits"].device_id, next_action=retry_at(plane.clock.now(), ref)))
    fleet["waits"].report(report_of(ref.model_copy(update={"attempt": 3}), fleet["waits"].device_id))
    (now,), (ever,) = admin.get("/v1/errors").json(), admin.get("/v1/errors", params={"past": True}).json()
    assert (now["jobs"], now["devices"]) == (1, ["failed"])
    assert (ever["jobs"], ever["devices"]) == (2, ["failed", "waits"])
    assert ever | {"jobs": 1, "devices": ["failed"]} == now


def reasons(admin: httpx.Client, device: str) -> dict[str, list[dict[str, Any]]]:
    found = admin.get("/v1/why", params={"device": device, "app": "Editor"}).json()
    kinds: dict[str, list[dict[str, Any]]] = {}
    for reason in found["reasons"]:
        kinds.setdefault(reason["kind"], []).append(reason)
    return kinds


@pytest.mark.usefixtures("fleet")
def test_why_begins_with_the_assignment(admin: httpx.Client) -> None:
    found = reasons(admin, "done")
    assert any("desks" in reason["words"] for reason in found["plan"])
    assert found["outcome"][0]["facts"]["outcome"] == "installed"


@pytest.mark.usefixtures("fleet")
def test_why_tells_the_compared_values_of_a_requirement(admin: httpx.Client) -> None:
    found = reasons(admin, "unfit")
    assert found["judgement"][0]["facts"]["found"] == "/etc/licence: not there, expected there"
    assert found["outcome"][0]["facts"]["applicability"] == 1006
    assert "does not meet" in found["outcome"][0]["words"]


@pytest.mark.usefixtures("fleet")
def test_why_tells_the_error_its_hint_and_the_wait(admin: httpx.Client) -> None:
    found = reasons(admin, "failed")
    assert found["error"][0]["facts"]["exit_code"] == 7
    assert found["wait"][0]["facts"]["reason"] == "grs"
    assert "GRS" in found["wait"][0]["words"]


def test_why_tells_since_when_a_device_is_offline(
    plane: Plane, admin: httpx.Client, fleet: dict[str, SignedDevice]
) -> None:
    assert fleet
    plane.clock.advance(timedelta(hours=1))
    for device in ("silent", "done"):
        assert "offline since" in reasons(admin, device)["offline"][0]["words"]


def test_why_nothing_was_sent_is_said(plane: Plane, admin: httpx.Client, enrolled: Enrolled) -> None:
    plane.publish()
    enrolled("lonely")
    assert "no-job" in reasons(admin, "lonely")
    found = admin.get("/v1/why", params={"device": "lonely", "app": "Editor"}).json()
    assert found["as_wanted"] is None


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 422),
        ({"device": "done"}, 422),
        ({"device": "done", "app": "X"}, 404),
        ({"device": "x", "app": "Editor"}, 404),
    ],
)
@pytest.mark.usefixtures("fleet")
def test_why_needs_a_device_and_an_app_that_are_there(admin: httpx.Client, query: dict[str, str], status: int) -> None:
    assert admin.get("/v1/why", params=query).status_code == status


@pytest.mark.usefixtures("fleet")
def test_a_confined_token_sees_its_own_devices_only(
    plane: Plane, admin: httpx.Client, client: httpx.Client, enrolled: Enrolled
) -> None:
    enrolled("other", plane.group("others"))
    plane.assign("others")
    plane.plan()
    made = admin.post("/v1/tokens", json={"name": "eve", "role": "viewer", "groups": ["others"]}).json()
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert client.get(SUMMARY, headers=headers).json()["jobs"] == 1
    assert client.get("/v1/errors", headers=headers).json() == []
    query = {"device": "done", "app": "Editor"}
    assert client.get("/v1/why", params=query, headers=headers).status_code == 403
