"""An operator who would tidy up what the audit log says of them."""

from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import delete, update

from contract.states import Intent
from control.audit.seals import AuditSealer
from control.audit.trail import AuditTrail
from control.database.tables import AuditEntry
from control.roles import Role
from tests.control.plane import Plane, SignedDevice
from tests.security.conftest import RefusedBy

ATTACKER = "an operator"

TIDIED = "changes or removes what the audit log says"

Enrolled = Callable[..., SignedDevice]
Headers = Callable[[Role], dict[str, str]]


def change_things(client: httpx.Client, headers: dict[str, str]) -> None:
    for name in ("one", "two", "three"):
        assert client.post("/v1/groups", json={"name": name}, headers=headers).status_code == 201


def test_every_change_is_in_the_log_with_who_what_and_from_where(
    plane: Plane, client: httpx.Client, enrolled: Enrolled, operator: Headers
) -> None:
    plane.publish()
    admin = operator(Role.ADMIN)
    change_things(client, admin)
    device = enrolled("desk-1")
    client.put("/v1/groups/one/members/desk-1", headers=admin)
    client.post("/v1/assignments", json={"app": "Editor", "group": "one", "intent": Intent.REQUIRED}, headers=admin)
    plane.plan()
    ((device_id, ref),) = plane.dispatch()
    assert device_id == device.device_id
    client.post(f"/v1/jobs/{ref.job_id}/cancel", json={}, headers=admin)
    client.delete("/v1/groups/one/members/desk-1", headers=admin)
    client.post("/v1/enrollment-tokens", json={"group": "one"}, headers=admin)
    client.post("/v1/devices/desk-1/replace", json={}, headers=admin)
    client.post("/v1/devices/desk-1/retire", headers=admin)
    made = client.post("/v1/tokens", json={"name": "eve"}, headers=admin).json()
    client.delete(f"/v1/tokens/{made['id']}", headers=admin)
    text = client.get("/v1/audit", headers=admin).text
    entries = client.get("/v1/audit", headers=admin).json()["items"]
    actions = [entry["action"] for entry in entries]
    assert actions[:3] == ["group.create"] * 3
    wanted = {"group.add", "assignment.set", "group.remove", "enrollment.create", "device.replace", "device.retire"}
    assert wanted | {"token.create", "token.revoke", "job.cancel"} <= set(actions)
    assert {entry["source"] for entry in entries} == {"testclient"}
    by_devices = [entry for entry in entries if entry["actor"] == f"device {device.device_id}"]
    assert [entry["action"] for entry in by_devices] == ["device.enroll"]
    assert all(entry in by_devices or entry["actor"].startswith("test (") for entry in entries)
    assert made["token"] not in text
    verdict = client.get("/v1/audit/verdict", headers=admin).json()
    assert (verdict["entries"], verdict["broken_at"]) == (len(entries), None)


def test_a_change_that_fails_leaves_no_entry(client: httpx.Client, operator: Headers) -> None:
    admin = operator(Role.ADMIN)
    client.put("/v1/groups/none/members/nobody", headers=admin)
    assert client.get("/v1/audit", headers=admin).json()["items"] == []


@pytest.mark.parametrize(
    "tamper",
    [
        pytest.param(delete(AuditEntry).where(AuditEntry.sequence == 2), id="removed"),
        pytest.param(update(AuditEntry).where(AuditEntry.sequence == 2).values(target="innocent"), id="changed"),
        pytest.param(update(AuditEntry).where(AuditEntry.sequence == 2).values(seal="0" * 64), id="unsealed"),
        pytest.param(update(AuditEntry).where(AuditEntry.sequence == 2).values(actor="somebody else"), id="blamed"),
    ],
)
@pytest.mark.attack(TIDIED)
def test_a_tidied_log_shows(
    plane: Plane, client: httpx.Client, operator: Headers, tamper: object, refused_by: RefusedBy
) -> None:
    admin = operator(Role.ADMIN)
    change_things(client, admin)
    with plane.services.database.transaction() as session:
        session.execute(tamper)  # type: ignore[call-overload]  # either kind of statement
    assert client.get("/v1/audit/verdict", headers=admin).json()["broken_at"] == 2
    refused_by("verdict: broken at the entry")


@pytest.mark.guard_removed(TIDIED)
def test_without_seals_a_changed_entry_shows_nowhere(
    plane: Plane, client: httpx.Client, operator: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = operator(Role.ADMIN)
    change_things(client, admin)
    with plane.services.database.transaction() as session:
        session.execute(update(AuditEntry).where(AuditEntry.sequence == 2).values(target="innocent"))
    assert client.get("/v1/audit/verdict", headers=admin).json()["broken_at"] == 2
    monkeypatch.setattr(AuditSealer, "holds", lambda *_: True)
    assert client.get("/v1/audit/verdict", headers=admin).json()["broken_at"] is None


def test_a_cut_off_end_shows_by_the_seal_that_was_kept(plane: Plane, client: httpx.Client, operator: Headers) -> None:
    admin = operator(Role.ADMIN)
    change_things(client, admin)
    kept = client.get("/v1/audit/verdict", headers=admin).json()
    with plane.services.database.transaction() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.sequence == 3))
    now = client.get("/v1/audit/verdict", headers=admin).json()
    assert (now["broken_at"], now["entries"], now["head"] == kept["head"]) == (None, 2, False)


def test_who_writes_to_the_database_cannot_seal(plane: Plane, client: httpx.Client, operator: Headers) -> None:
    change_things(client, operator(Role.ADMIN))
    forger = AuditTrail(AuditSealer(b"a guess"))
    with plane.services.database.snapshot() as session:
        assert forger.verify(session).broken_at == 1
        assert plane.services.audit.verify(session).broken_at is None
