"""Two operators at once: what one has changed, the other does not overwrite unseen."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from contract.exit_statuses import ExitStatus
from tests.control.plane import Plane

Outrider = Callable[..., Result]

ASSIGNMENT = (("assignment", "show", "Editor", "--group", "desks"), ("assign", "Editor", "--group", "desks"))
PIN = (("app", "pin", "Editor"), ("app", "pin", "Editor"))
RULE = 'device.site -eq "Berlin"'
#: What is looked at, what another operator does meanwhile, and what was meant to be done.
CHANGES = [
    (ASSIGNMENT[0], (*ASSIGNMENT[1], "--intent", "uninstall"), (*ASSIGNMENT[1], "--exclude")),
    (ASSIGNMENT[0], (*ASSIGNMENT[1], "--intent", "uninstall"), ("unassign", "Editor", "--group", "desks")),
    (("group", "show", "labs"), ("group", "set-rule", "labs", RULE), ("group", "set-rule", "labs")),
    (("group", "show", "labs"), ("group", "set-rule", "labs", RULE), ("group", "delete", "labs")),
    (PIN[0], (*PIN[1], "1"), (*PIN[1], "2")),
    (PIN[0], (*PIN[1], "1"), ("app", "unpin", "Editor")),
    (PIN[0], (*PIN[1], "1"), ("app", "rollback", "Editor", "--to", "1")),
]


@pytest.fixture(autouse=True)
def fleet(plane: Plane) -> None:
    for version in ("1.0", "2.0"):
        plane.publish(displayVersion=version)
    for group in ("desks", "labs"):
        plane.group(group)
    plane.assign("desks")


def said(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize(("show", "others", "mine"), CHANGES)
def test_what_another_one_has_changed_is_left_alone(
    outrider: Outrider, show: tuple[str, ...], others: tuple[str, ...], mine: tuple[str, ...]
) -> None:
    seen = said(outrider(*show, "--json"))["etag"]
    assert outrider(*others).exit_code == 0
    now = said(outrider(*show, "--json"))
    refused = outrider(*mine, "--if-match", seen)
    assert (refused.exit_code, "no longer what `If-Match` says" in refused.stderr) == (ExitStatus.USAGE, True)
    assert said(outrider(*show, "--json")) == now
    assert outrider(*mine, "--if-match", now["etag"]).exit_code == 0


def test_an_assignment_that_is_not_there_is_not_as_it_was_seen(outrider: Outrider) -> None:
    refused = outrider("assign", "Editor", "--group", "labs", "--if-match", "0" * 32)
    assert refused.exit_code == ExitStatus.USAGE
    assert "not assigned to this group" in refused.stderr
    assert len(said(outrider("assignment", "list", "--json"))) == 1


def test_which_revision_is_deployed_is_said_without_changing_it(outrider: Outrider) -> None:
    assert outrider("app", "pin", "Editor").stdout == "Editor is deployed at revision 2, the newest.\n"
    assert said(outrider("app", "pin", "Editor", "--json"))["pinned"] is False


def test_a_group_without_a_tag_is_changed_as_ever(outrider: Outrider) -> None:
    assert outrider("group", "set-rule", "labs", RULE).exit_code == 0
