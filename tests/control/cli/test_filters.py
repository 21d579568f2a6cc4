"""`outrider filter`, `group set-rule|explain|delete`, `device set-site`, `assign`, `unassign`, `assignment`."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from typer.testing import Result

from contract.exit_statuses import ExitStatus
from control.database.tables import Role
from tests.control.plane import Plane, SignedDevice

Enrolled = Callable[..., SignedDevice]
Outrider = Callable[..., Result]

RULE = 'device.site -eq "Berlin"'


def printed(result: Result) -> Any:
    assert result.exit_code == ExitStatus.OK, result.output
    return json.loads(result.stdout)


@pytest.fixture
def site(plane: Plane, outrider: Outrider, enrolled: Enrolled) -> None:
    """Two devices, one of them in Berlin, an app and a group."""
    plane.publish()
    desks = plane.group("desks")
    enrolled("desk-1", group_id=desks)
    enrolled("desk-2", group_id=desks)
    assert "desk-2 stands in Berlin." in outrider("device", "set-site", "desk-2", "Berlin").stdout


@pytest.mark.usefixtures("site")
def test_a_filter_is_made_tried_shown_changed_and_deleted(outrider: Outrider) -> None:
    assert f"Filter berlin: {RULE}" in outrider("filter", "create", "berlin", RULE).stdout
    tried = outrider("filter", "test", RULE)
    assert "1 of 2 devices match." in tried.stdout
    assert 'no: device.site -eq "Berlin", found no value' in tried.stdout
    one = outrider("filter", "test", RULE, "--device", "desk-2").stdout
    assert one.splitlines() == ["desk-2 matches", '  yes: device.site -eq "Berlin", found "Berlin"']
    assert [match["matches"] for match in printed(outrider("filter", "test", RULE, "--json"))] == [False, True]
    outrider("assign", "Editor", "--group", "desks", "--exclude-filter", "berlin")
    assert "used by Editor on desks, which it excludes" in outrider("filter", "show", "berlin").stdout
    assert printed(outrider("filter", "show", "berlin", "--json"))["assignments"] == ["Editor on desks"]
    assert "assignment of Editor to desks" in outrider("filter", "delete", "berlin").stderr
    assert "Rome" in outrider("filter", "change", "berlin", 'site -eq "Rome"').stdout
    assert "Rome" in outrider("filter", "list").stdout
    assert outrider("unassign", "Editor", "--group", "desks").exit_code == 0
    assert "Filter berlin is gone." in outrider("filter", "delete", "berlin").stdout
    assert printed(outrider("filter", "list", "--json")) == []


def test_what_a_rule_can_ask_for_is_listed(outrider: Outrider) -> None:
    assert "device.operatingSystemVersion" in outrider("filter", "properties").stdout
    assert "site" in [one["property"] for one in printed(outrider("filter", "properties", "--json"))]


@pytest.mark.usefixtures("site")
def test_a_group_follows_its_rule_and_says_why(outrider: Outrider) -> None:
    assert "1 devices" in outrider("group", "create", "berlin", "--rule", RULE).stdout
    assert outrider("group", "explain", "berlin", "desk-1").stdout.startswith("desk-1 does not match")
    assert printed(outrider("group", "explain", "berlin", "desk-2", "--json"))["matches"] is True
    assert "members of this group are those" in outrider("group", "add", "berlin", "desk-1").stderr
    assert "0 devices" in outrider("group", "set-rule", "berlin", 'site -eq "Rome"').stdout
    assert "desk-1 has no site." in outrider("device", "set-site", "desk-1").stdout
    assert "chosen by operators" in outrider("group", "set-rule", "berlin").stdout
    assert "Group berlin is gone." in outrider("group", "delete", "berlin").stdout


def test_an_enrolment_token_carries_a_site(client: httpx.Client, outrider: Outrider) -> None:
    token = printed(outrider("enrollment", "create", "--site", "Berlin", "--json"))["token"]
    assert SignedDevice(client, "desk-3").enroll(token).status_code == 200
    assert printed(outrider("filter", "test", RULE, "--json"))[0]["matches"] is True


@pytest.mark.usefixtures("site")
def test_an_assignment_says_when_for_whom_and_how(outrider: Outrider) -> None:
    outrider("filter", "create", "berlin", RULE)
    terms = ("--filter", "berlin", "--start", "2026-03-01T08:00", "--deadline", "2026-03-02 20:00", "--local")
    how = (
        "--notifications",
        "hideAll",
        "--restart-grace",
        "30",
        "--priority",
        "foreground",
        "--window",
        "mon 22:00+2h",
    )
    made = printed(outrider("assign", "Editor", "--group", "desks", *terms, *how, "--json"))
    assert (made["filter"], made["filter_mode"], made["time_basis"]) == ("berlin", "include", "local")
    assert (made["start"], made["deadline"]) == ("2026-03-01T08:00:00", "2026-03-02T20:00:00")
    assert made["maintenance_windows"][0]["days"] == ["monday"]
    shown = outrider("assignment", "show", "Editor", "--group", "desks").stdout
    for said in (
        "Editor is required on desks",
        "filter berlin includes",
        "from 2026-03-01 08:00:00 by the device's clock",
        "notifications hideAll",
        "restart within 30 min",
        "1 maintenance windows",
        "foreground delivery",
    ):
        assert said in shown
    assert "filter berlin includes" in outrider("assignment", "list", "--app", "Editor").stdout
    assert "Editor is excluded on desks" in outrider("assign", "Editor", "-g", "desks", "--exclude").stdout
    assert [one["mode"] for one in printed(outrider("assignment", "list", "--json"))] == ["exclude"]
    assert "not assigned to desks any more" in outrider("unassign", "Editor", "-g", "desks").stdout
    assert printed(outrider("assignment", "list", "-g", "desks", "--json")) == []


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["filter", "create", "a", "nonsense"], "line 1, column 9: expected an operator"),
        (["filter", "create", "a/b", RULE], "name"),
        (["filter", "create", "", RULE], "name"),
        (["filter", "test", "x" * 5000], "at most 4096 characters"),
        (["filter", "test", RULE, "--device", "nobody"], "no such device"),
        (["filter", "show", "nothing"], "no such filter"),
        (["filter", "change", "nothing", RULE], "no such filter"),
        (["filter", "delete", "nothing"], "no such filter"),
        (["group", "create", "a", "--rule", ""], "expected a property"),
        (["group", "set-rule", "nothing", RULE], "no such group"),
        (["group", "explain", "desks", "desk-1"], "has no rule"),
        (["group", "delete", "nothing"], "no such group"),
        (["device", "set-site", "nobody", "x"], "no such device"),
        (["device", "set-site", "desk-1", "a/b"], "site"),
        (["group", "set-rule", "desks", "x" * 5000], "at most 4096 characters"),
        (["enrollment", "create", "--site", ""], "site"),
        (["assign", "Editor", "-g", "desks", "--filter", "no"], "no such filter"),
        (["assign", "Editor", "-g", "desks", "--filter", "a", "--exclude-filter", "b"], "found both"),
        (["assign", "Editor", "-g", "desks", "--start", "soon"], "expected a time such as"),
        (["assign", "Editor", "-g", "desks", "--start", "2026-03-01T08:00Z", "--local"], "expected no time zone"),
        (["assign", "Editor", "-g", "desks", "--exclude", "--intent", "required"], "an excluded group has no intent"),
        (["assign", "Editor", "-g", "desks", "--intent", "available", "--deadline", "2026-03-01"], "has no deadline"),
        (["assign", "Editor", "-g", "desks", "--restart-grace", "-1"], "--restart-grace"),
        (["assign", "Editor", "-g", "desks", "--window", "always"], "--window"),
        (["assign", "Editor", "-g", "desks", "--window", "mon 22:00+90d"], "--window"),
        (["unassign", "Editor", "-g", "desks"], "not assigned to this group"),
        (["assignment", "show", "Editor", "-g", "desks"], "not assigned to this group"),
        (["assignment", "list", "--app", "Nothing"], "no such app"),
        (["schema", "Nothing"], "Nothing"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_changed(
    plane: Plane, outrider: Outrider, arguments: list[str], said: str
) -> None:
    result = outrider(*arguments)
    assert result.exit_code == ExitStatus.USAGE, result.output
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.output
    assert printed(outrider("assignment", "list", "--json")) == []
    assert printed(outrider("filter", "list", "--json")) == []


def test_an_empty_fleet_has_empty_lists(outrider: Outrider) -> None:
    assert "0 of 0 devices match." in outrider("filter", "test", RULE).stdout
    for command in (["filter", "list"], ["assignment", "list"]):
        assert outrider(*command).exit_code == 0
        assert printed(outrider(*command, "--json")) == []


def test_a_viewer_may_try_a_rule_but_not_keep_it(outrider_as: Callable[[Role], Outrider]) -> None:
    viewer = outrider_as(Role.VIEWER)
    assert viewer("filter", "test", RULE).exit_code == 0
    assert viewer("filter", "create", "berlin", RULE).exit_code == ExitStatus.REFUSED


@pytest.mark.parametrize("kind", ["Filter", "Group", "App", "Assignment", "Rollout"])
def test_the_schema_of_each_kind_is_printed(outrider: Outrider, kind: str) -> None:
    schema = printed(outrider("schema", kind))
    assert schema["properties"]["kind"]["const"] == kind
