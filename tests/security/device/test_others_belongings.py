"""What belongs to others: policies, keys and reports of their jobs, operators' routes, the metrics."""

import httpx
import pytest

from contract.jobs import JobRef
from contract.states import Outcome
from contract.uplink import CONTENT_INFO_PATH, POLICY_PATH
from control.api.guarded_route import RoleGuard
from control.database.tables import Job, Role
from control.security.operators import Operator
from tests.control.plane import Plane, SignedDevice, report_of
from tests.security.conftest import RefusedBy
from tests.security.device.signed_requests import Enrolled, code, no_guard, refused

ATTACKER = "a device"

FOREIGN_JOB = "asks for policy or content key of another device's job"
FOREIGN_REPORT = "reports about another device's job"
OPERATORS_ROUTE = "uses its signature on an operator's route"


@pytest.fixture
def theirs(plane: Plane, enrolled: Enrolled) -> tuple[SignedDevice, JobRef]:
    """Another device, and the job it was sent."""
    plane.publish()
    device = enrolled("theirs", plane.group("desks"))
    plane.assign("desks")
    plane.plan()
    ((device_id, ref),) = plane.dispatch()
    assert device_id == device.device_id
    return device, ref


@pytest.mark.attack(FOREIGN_JOB)
@pytest.mark.parametrize(("method", "path"), [("GET", POLICY_PATH), ("POST", CONTENT_INFO_PATH)])
def test_policy_and_content_key_of_anothers_job_are_not_given_out(
    enrolled: Enrolled, theirs: tuple[SignedDevice, JobRef], method: str, path: str, refused_by: RefusedBy
) -> None:
    device, ref = theirs
    before = refused("unknown-job")
    answer = enrolled("mine").request(method, path.format(job_id=ref.job_id))
    assert (answer.status_code, code(answer)) == (404, "unknown-job")
    assert device.request(method, path.format(job_id=ref.job_id)).status_code == 200
    assert refused("unknown-job") == before + 1
    refused_by(code(answer))


@pytest.mark.guard_removed(FOREIGN_JOB)
def test_without_the_look_at_whose_job_it_is_all_is_given_out(
    enrolled: Enrolled, theirs: tuple[SignedDevice, JobRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("control.fleet.job_access.require_live", lambda *_: None)
    _, ref = theirs
    mine = enrolled("mine")
    for method, path in (("GET", POLICY_PATH), ("POST", CONTENT_INFO_PATH)):
        assert mine.request(method, path.format(job_id=ref.job_id)).status_code == 200


@pytest.mark.attack(FOREIGN_REPORT)
@pytest.mark.parametrize("claims_to_be_them", [True, False])
def test_a_report_about_anothers_job_changes_nothing(
    plane: Plane,
    enrolled: Enrolled,
    theirs: tuple[SignedDevice, JobRef],
    refused_by: RefusedBy,
    *,
    claims_to_be_them: bool,
) -> None:
    mine = enrolled("mine")
    (device, ref), claimed = theirs, mine.device_id
    if claims_to_be_them:
        claimed = device.device_id
    answer = mine.report(report_of(ref, claimed))
    assert code(answer) == ("signature-refused" if claims_to_be_them else "unknown-job")
    with plane.services.database.snapshot() as session:
        assert session.get_one(Job, ref.job_id).outcome is None
    refused_by(code(answer))


@pytest.mark.guard_removed(FOREIGN_REPORT)
def test_without_the_look_at_whose_job_it_is_a_foreign_report_is_taken(
    plane: Plane, enrolled: Enrolled, theirs: tuple[SignedDevice, JobRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("control.ingest.reports.own_job", lambda hearing, job_id, _: hearing.jobs[job_id])
    mine, (_, ref) = enrolled("mine"), theirs
    assert mine.report(report_of(ref, mine.device_id)).status_code == 200
    with plane.services.database.snapshot() as session:
        assert session.get_one(Job, ref.job_id).outcome is Outcome.INSTALLED


@pytest.mark.attack(OPERATORS_ROUTE)
def test_a_devices_signature_opens_no_operators_route(enrolled: Enrolled, refused_by: RefusedBy) -> None:
    answer = enrolled().request("GET", "/v1/devices")
    assert answer.status_code == 401
    refused_by(code(answer))


@pytest.mark.guard_removed(OPERATORS_ROUTE)
def test_without_the_guard_on_roles_anybody_reads_it(enrolled: Enrolled, monkeypatch: pytest.MonkeyPatch) -> None:
    everybody = Operator("none", "nobody", Role.ADMIN, frozenset(), "")
    monkeypatch.setattr(RoleGuard, "admit", no_guard(everybody))
    assert enrolled().request("GET", "/v1/devices").status_code == 200


METRICS = "reads the metrics without an operator's token"


@pytest.mark.attack(METRICS)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guessed"}])
def test_metrics_are_closed_to_everybody_else(
    client: httpx.Client, headers: dict[str, str], refused_by: RefusedBy
) -> None:
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 401
    refused_by(code(answer))


@pytest.mark.guard_removed(METRICS)
def test_without_the_guard_on_roles_metrics_are_open(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RoleGuard, "admit", no_guard(None))
    assert client.get("/metrics").status_code == 200
