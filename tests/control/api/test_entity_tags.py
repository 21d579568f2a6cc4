"""ETags: what has not changed is not sent again."""

from collections.abc import Callable

import httpx
import pytest

from control.database.tables import Role
from tests.control.plane import Plane, SignedDevice


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
