"""Logging in and out, tokens, the audit log, retirement: as an operator types it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from sqlalchemy import delete
from typer.testing import CliRunner

from contract.exit_statuses import ExitStatus
from control.cli.logins import LoginStore
from control.cli.main import app
from control.client.control_client import ControlClient
from control.database.tables import AuditEntry
from control.roles import Role
from tests.control.plane import Plane, SignedDevice

Outrider = Callable[..., Any]
Enrolled = Callable[..., SignedDevice]
URL = "https://control.example"


class DictKeyring(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the library leaves it untyped
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def ring() -> Iterator[DictKeyring]:
    before, ring = keyring.get_keyring(), DictKeyring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


@pytest.fixture
def no_ring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]  # the library leaves it untyped
    yield
    keyring.set_keyring(before)


@pytest.fixture
def outrider(client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outrider:
    """Run a command of an operator whose environment names nothing; the API is in process."""

    def connected(url: str, token: str) -> ControlClient:
        made = ControlClient(url, token)
        client.headers["Authorization"] = f"Bearer {token}"
        made.http = client
        return made

    for place in ("control.cli.connection", "control.cli.login"):
        monkeypatch.setattr(f"{place}.ControlClient", connected)
    monkeypatch.setattr(ControlClient, "__exit__", lambda *_: None)
    monkeypatch.setattr(LoginStore, "default", lambda: LoginStore(tmp_path / "config" / "login.json"))
    for name in ("OUTRIDER_URL", "OUTRIDER_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return lambda *arguments, typed="": CliRunner().invoke(app, [*arguments], input=typed)


@pytest.fixture
def token(operator: Callable[[Role], dict[str, str]]) -> str:
    return operator(Role.ADMIN)["Authorization"].removeprefix("Bearer ")


def login_file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "login.json"


def test_a_login_is_checked_and_kept_in_the_keyring(
    outrider: Outrider, token: str, ring: DictKeyring, tmp_path: Path
) -> None:
    done = outrider("login", URL, typed=f"{token}\n")
    assert done.exit_code == 0, done.output
    assert "Logged in as test, admin for the whole fleet" in done.stdout
    assert token not in done.output
    assert done.stderr == "", "a script is not asked"
    assert ring.kept == {("outrider", URL): token}
    assert token not in login_file(tmp_path).read_text()
    assert outrider("group", "create", "desks").exit_code == 0
    assert outrider("logout").exit_code == 0
    assert ring.kept == {}
    assert not login_file(tmp_path).exists()
    assert outrider("group", "list").exit_code == ExitStatus.USAGE


@pytest.mark.usefixtures("no_ring")
def test_without_a_keyring_the_token_is_in_a_private_file(outrider: Outrider, token: str, tmp_path: Path) -> None:
    done = outrider("login", URL, "--token", token)
    assert done.exit_code == 0, done.output
    assert json.loads(login_file(tmp_path).read_text()) == {"url": URL, "token": token}
    assert login_file(tmp_path).stat().st_mode & 0o077 == 0
    assert outrider("group", "list").exit_code == 0
    assert "Logged out" in outrider("logout").stdout
    assert "Nobody" in outrider("logout").stdout


@pytest.mark.usefixtures("no_ring")
def test_a_wrong_token_or_an_open_address_is_not_kept(outrider: Outrider, token: str, tmp_path: Path) -> None:
    assert outrider("login", URL, "--token", "guessed").exit_code == ExitStatus.REFUSED
    assert outrider("login", URL, typed="").exit_code == ExitStatus.USAGE
    assert outrider("login", "http://control.example", "--token", token).exit_code == ExitStatus.USAGE
    assert not login_file(tmp_path).exists()


@pytest.mark.usefixtures("no_ring")
def test_a_damaged_login_says_what_to_do(outrider: Outrider, tmp_path: Path) -> None:
    login_file(tmp_path).parent.mkdir()
    login_file(tmp_path).write_text("{")
    done = outrider("group", "list")
    assert done.exit_code == ExitStatus.USAGE
    assert "outrider logout" in done.stderr
    assert outrider("logout").exit_code == 0


@pytest.mark.usefixtures("no_ring")
def test_tokens_are_made_listed_and_revoked(outrider: Outrider, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    outrider("login", URL, "--token", token)
    outrider("group", "create", "desks")
    made = outrider("token", "create", "eve", "--role", "operator", "--group", "desks", "--json")
    assert made.exit_code == 0, made.output
    eve = json.loads(made.stdout)
    listed = {one["name"]: one for one in json.loads(outrider("token", "list", "--json").stdout)}
    assert (listed["eve"]["role"], listed["eve"]["groups"]) == ("operator", ["desks"])
    assert "void" in outrider("token", "revoke", eve["id"]).stdout
    assert outrider("token", "revoke", "none").exit_code == ExitStatus.USAGE
    assert outrider("login", URL, "--token", eve["token"]).exit_code == ExitStatus.REFUSED
    assert outrider("token", "create", "forever", "--expires-in", "never").exit_code == 0
    monkeypatch.setenv("COLUMNS", "60")
    assert "…" not in outrider("token", "list").stdout, "an id that is cut short cannot be revoked"


@pytest.mark.usefixtures("no_ring")
def test_the_log_is_shown_and_checked(
    outrider: Outrider, token: str, plane: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    outrider("login", URL, "--token", token)
    for name in ("one", "two", "three"):
        outrider("group", "create", name)
    assert [entry["target"] for entry in json.loads(outrider("audit", "list", "--json").stdout)] == [
        "one",
        "two",
        "three",
    ]
    monkeypatch.setenv("COLUMNS", "300")
    shown = outrider("audit", "list").stdout
    assert "from testclient: group.create one\n    after: {" in shown
    head = json.loads(outrider("audit", "verify", "--json").stdout)["head"]
    assert outrider("audit", "verify", "--head", head).exit_code == 0
    with plane.services.database.transaction() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.sequence == 3))
    assert outrider("audit", "verify").exit_code == 0
    cut = outrider("audit", "verify", "--head", head)
    assert cut.exit_code == ExitStatus.REFUSED
    assert "cut off" in cut.stderr
    with plane.services.database.transaction() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.sequence == 1))
    assert outrider("audit", "verify").exit_code == ExitStatus.REFUSED


@pytest.mark.usefixtures("no_ring")
def test_a_device_is_replaced_and_retired(outrider: Outrider, token: str, client: httpx.Client, plane: Plane) -> None:
    outrider("login", URL, "--token", token)
    old = SignedDevice(client, "desk-1")
    old.enroll(plane.token())
    made = outrider("device", "replace", "desk-1", "--json")
    assert made.exit_code == 0, made.output
    new = SignedDevice(client, "new")
    assert new.enroll(json.loads(made.stdout)["token"]).status_code == 200
    assert "is retired" in outrider("device", "retire", "desk-1").stdout
    assert new.check_in().status_code == old.check_in().status_code == 401


@pytest.mark.usefixtures("no_ring")
def test_a_broker_that_is_down_is_said_and_the_device_is_out_all_the_same(
    outrider: Outrider, token: str, client: httpx.Client, plane: Plane
) -> None:
    outrider("login", URL, "--token", token)
    device = SignedDevice(client, "desk-1")
    device.enroll(plane.token())
    plane.broker_users.down = True
    retired = outrider("device", "retire", "desk-1")
    assert (retired.exit_code, "as soon as it is back" in retired.stdout) == (0, True)
    assert device.check_in().status_code == 401


@pytest.mark.usefixtures("no_ring")
def test_tokens_to_enrol_with_are_listed_and_revoked(
    outrider: Outrider, token: str, client: httpx.Client, plane: Plane
) -> None:
    outrider("login", URL, "--token", token)
    plane.group("desks")
    made = json.loads(outrider("enrollment", "create", "--group", "desks", "--uses", "3", "--json").stdout)
    SignedDevice(client).enroll(made["token"])
    (listed,) = json.loads(outrider("enrollment", "list", "--json").stdout)
    assert (listed["id"], listed["group"], listed["uses_left"]) == (made["id"], "desks", 2)
    assert made["token"] not in outrider("enrollment", "list").stdout
    assert "is void" in outrider("enrollment", "revoke", made["id"]).stdout
    assert json.loads(outrider("enrollment", "list", "--json").stdout) == []
    assert [one["id"] for one in json.loads(outrider("enrollment", "list", "--all", "--json").stdout)] == [made["id"]]
    assert SignedDevice(client, "late").enroll(made["token"]).status_code == 401
    assert outrider("enrollment", "revoke", "none").exit_code == ExitStatus.USAGE
