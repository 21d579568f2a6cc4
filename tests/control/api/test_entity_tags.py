"""ETags: what has not changed is not sent again."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from contract.jobs import JobRef
from control.database.tables import Role
from tests.control.plane import Plane, SignedDevice, progress_of


@pytest.fixture
def admin(client: httpx.Client, operator: Callable[[Role], dict[str, str]]) -> httpx.Client:
    client.headers.update(operator(Role.ADMIN))
    return client


@pytest.fixture
def group(plane: Plane) -> str:
    plane.group("desks")
    return "/v1/groups/desks"


def test_what_has_not_changed_is_not_sent_again(admin: httpx.Client, group: str) -> None:
    first = admin.get(group)
    second = admin.get(group, headers={"If-None-Match": first.headers["ETag"]})
    assert (second.status_code, second.content, second.headers["ETag"]) == (304, b"", first.headers["ETag"])


def test_what_has_changed_is_sent_with_another_tag(
    admin: httpx.Client, group: str, enrolled: Callable[..., SignedDevice]
) -> None:
    first = admin.get(group)
    enrolled()
    admin.put(f"{group}/members/desk-1")
    second = admin.get(group, headers={"If-None-Match": first.headers["ETag"]})
    assert (second.status_code, second.json()["members"]) == (200, 1)
    assert second.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize("form", ["W/{tag}", '"other", {tag}', "*"])
def test_a_tag_is_recognised_in_each_form_that_http_allows(admin: httpx.Client, group: str, form: str) -> None:
    tag = admin.get(group).headers["ETag"]
    assert admin.get(group, headers={"If-None-Match": form.format(tag=tag)}).status_code == 304


@pytest.mark.parametrize("tag", ["", "nonsense", '"', '"other"'])
def test_any_other_tag_is_no_match(admin: httpx.Client, group: str, tag: str) -> None:
    assert admin.get(group, headers={"If-None-Match": tag}).status_code == 200


def test_a_job_at_rest_keeps_its_tag_while_time_goes_by(
    plane: Plane, admin: httpx.Client, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = sent
    path = f"/v1/jobs/{ref.job_id}"
    first = admin.get(path)
    plane.clock.advance(timedelta(days=2))
    assert admin.get(path).json()["next_action"] != first.json()["next_action"]
    assert admin.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    device.progress(progress_of(ref))
    assert admin.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_a_sign_of_life_changes_nothing_about_a_device(
    plane: Plane, admin: httpx.Client, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = sent
    path = "/v1/devices/desk-1"
    first = admin.get(path)
    plane.clock.advance(timedelta(seconds=30))
    assert device.check_in().is_success
    assert admin.get(path).json()["last_seen_at"] != first.json()["last_seen_at"]
    assert admin.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    device.progress(progress_of(ref))
    assert admin.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


# --- changes of what was seen -----------------------------------------------------------------------------------------


def refused(response: httpx.Response) -> bool:
    return (response.status_code, response.json().get("code")) == (412, "precondition-failed")


@pytest.mark.parametrize("order", ["retry", "rerun-detection", "cancel"])
def test_a_job_that_has_moved_on_is_not_steered_by_who_saw_it_before(
    admin: httpx.Client, sent: tuple[SignedDevice, JobRef], order: str
) -> None:
    device, ref = sent
    path = f"/v1/jobs/{ref.job_id}"
    seen = admin.get(path).headers["ETag"]
    device.progress(progress_of(ref))
    now = admin.get(path)
    assert refused(admin.post(f"{path}/{order}", json={"force": True}, headers={"If-Match": seen}))
    assert admin.get(path).json() == now.json()
    done = admin.post(f"{path}/{order}", json={"force": True}, headers={"If-Match": now.headers["ETag"]})
    assert not refused(done)


def test_a_job_that_is_as_it_was_seen_is_cancelled(admin: httpx.Client, sent: tuple[SignedDevice, JobRef]) -> None:
    path = f"/v1/jobs/{sent[1].job_id}"
    headers = {"If-Match": admin.get(path).headers["ETag"]}
    assert admin.post(f"{path}/cancel", json={}, headers=headers).json()["changes"] == {"cancelling": 1}
    assert refused(admin.post(f"{path}/cancel", json={}, headers=headers))


@pytest.mark.parametrize(
    ("method", "action", "body"),
    [("PUT", "site", {"site": "Berlin"}), ("POST", "replace", {}), ("POST", "retire", None)],
)
def test_a_device_that_is_not_as_it_was_seen_is_left_alone(
    admin: httpx.Client, enrolled: Callable[..., SignedDevice], method: str, action: str, body: object
) -> None:
    enrolled()
    path = "/v1/devices/desk-1"
    before = admin.get(path)
    assert refused(admin.request(method, f"{path}/{action}", json=body, headers={"If-Match": '"other"'}))
    assert admin.get(path).json() == before.json()
    headers = {"If-Match": before.headers["ETag"]}
    assert admin.request(method, f"{path}/{action}", json=body, headers=headers).is_success


@pytest.mark.parametrize(("path", "body"), [("/v1/tokens", {"name": "script"}), ("/v1/enrollment-tokens", {"uses": 3})])
def test_a_token_is_shown_by_its_id_and_revoked_as_it_was_seen(admin: httpx.Client, path: str, body: object) -> None:
    made = admin.post(path, json=body).json()
    one = f"{path}/{made['id']}"
    seen = admin.get(one)
    assert made["token"] not in seen.text
    assert refused(admin.delete(one, headers={"If-Match": '"other"'}))
    assert admin.get(one).json() == seen.json()
    assert admin.delete(one, headers={"If-Match": seen.headers["ETag"]}).json()["revoked_at"] is not None
    assert refused(admin.delete(one, headers={"If-Match": seen.headers["ETag"]}))


@pytest.mark.parametrize("path", ["/v1/tokens", "/v1/enrollment-tokens"])
def test_a_token_that_is_not_there_is_not_found(admin: httpx.Client, path: str) -> None:
    assert admin.get(f"{path}/nothing").status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_devices_come_and_go_only_while_the_group_is_as_it_was_seen(
    admin: httpx.Client, group: str, enrolled: Callable[..., SignedDevice], method: str
) -> None:
    enrolled("desk-1")
    enrolled("desk-2")
    seen = admin.get(group).headers["ETag"]
    assert admin.put(f"{group}/members/desk-2").is_success
    now = admin.get(group)
    assert refused(admin.request(method, f"{group}/members/desk-1", headers={"If-Match": seen}))
    assert admin.get(group).json() == now.json()
    headers = {"If-Match": now.headers["ETag"]}
    assert admin.request(method, f"{group}/members/desk-1", headers=headers).is_success
