"""Having devices check in: those that are meant, those that are online, once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from contract.errors import UnavailableError
from contract.queues import ControlTask
from control.database.tables import Role
from control.work import call_now
from tests.control.plane import Plane, RecordingCaller, SignedDevice

Enrolled = Callable[..., SignedDevice]
Headers = Callable[[Role], dict[str, str]]


@pytest.fixture
def admin(client: httpx.Client, operator: Headers) -> httpx.Client:
    client.headers.update(operator(Role.OPERATOR))
    return client


@pytest.fixture
def fleet(plane: Plane, enrolled: Enrolled) -> dict[str, str]:
    """Three devices: the first has a job, the second is in a group, the third has been away."""
    plane.publish()
    desks = plane.group("desks")
    others = plane.group("others")
    away = enrolled("away", others)
    plane.clock.advance(timedelta(hours=1))
    first, second = enrolled("first", desks), enrolled("second", others)
    plane.assign("desks")
    plane.plan()
    return {device.name: device.device_id for device in (first, second, away)}


def sync(admin: httpx.Client, **selection: Any) -> Any:
    return admin.post("/v1/devices/sync", json={"selection": selection}).json()


@pytest.mark.parametrize(
    ("selection", "called", "offline"),
    [
        ({"device": "first"}, ["first"], 0),
        ({"group": "others"}, ["second"], 1),
        ({"app": "Editor"}, ["first"], 0),
        ({"app": "Editor", "group": "others"}, [], 0),
        ({"everything": True}, ["first", "second"], 1),
    ],
)
def test_who_is_meant_and_online_is_called_once(
    plane: Plane,
    admin: httpx.Client,
    fleet: dict[str, str],
    selection: dict[str, Any],
    called: list[str],
    offline: int,
) -> None:
    for _ in range(2):
        reply = sync(admin, **selection)
        assert (sorted(reply["devices"]), reply["called"], reply["offline"]) == (called, len(called), offline)
    caller = RecordingCaller()
    call_now(plane.services, {"first": caller})
    call_now(plane.services, {"first": caller})
    assert sorted(caller.called) == sorted(fleet[name] for name in called)
    assert (ControlTask.CALL in plane.queue.asked) == bool(called)


def test_a_dry_run_calls_nobody(plane: Plane, admin: httpx.Client, fleet: dict[str, str]) -> None:
    reply = admin.post("/v1/devices/sync", json={"selection": {"everything": True}, "dry_run": True}).json()
    assert (reply["matched"], reply["called"]) == (len(fleet), 2)
    caller = RecordingCaller()
    call_now(plane.services, {"first": caller})
    assert caller.called == []


@pytest.mark.usefixtures("fleet")
def test_while_the_broker_is_away_calls_wait(plane: Plane, admin: httpx.Client) -> None:
    sync(admin, device="first")
    with pytest.raises(UnavailableError):
        call_now(plane.services, {"first": RecordingCaller(down=True)})
    caller = RecordingCaller()
    call_now(plane.services, {"first": caller})
    assert len(caller.called) == 1


@pytest.mark.parametrize(
    ("selection", "status", "code"),
    [
        ({}, 422, "document-invalid"),
        ({"device": "nobody"}, 404, "unknown-device"),
        ({"group": "nobody"}, 404, "unknown-group"),
        ({"app": "Nothing"}, 404, "unknown-app"),
        ({"rollout": "Nothing"}, 404, "unknown-rollout"),
        ({"when": "now"}, 422, "document-invalid"),
    ],
)
def test_what_is_wrong_is_said(admin: httpx.Client, selection: dict[str, Any], status: int, code: str) -> None:
    response = admin.post("/v1/devices/sync", json={"selection": selection})
    assert (response.status_code, response.json()["code"]) == (status, code)
