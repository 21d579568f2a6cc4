"""`outrider app revisions`, `pin`, `unpin` and `rollback`."""

import json
from collections.abc import Callable

from typer.testing import Result

from contract.exit_statuses import ExitStatus
from tests.control.plane import Plane

Outrider = Callable[..., Result]


def test_a_revision_is_pinned_rolled_forward_and_brought_back(plane: Plane, outrider: Outrider) -> None:
    for version in ("1.0", "2.0"):
        plane.publish(displayVersion=version)
    assert outrider("app", "pin", "Editor", "1").stdout == "Editor is deployed at revision 1, pinned.\n"
    shown = outrider("app", "revisions", "Editor").stdout
    assert [word in shown for word in ("1.0", "2.0", "pinned")] == [True, True, True]
    assert outrider("app", "unpin", "Editor").stdout == "Editor is deployed at revision 2, the newest.\n"
    brought_back = outrider("app", "rollback", "Editor", "--to", "1", "--json")
    assert (json.loads(brought_back.stdout)["deployed"], brought_back.exit_code) == (3, ExitStatus.OK)
    views = json.loads(outrider("app", "revisions", "Editor", "--json").stdout)
    assert [(view["number"], view["copied_from"]) for view in views] == [(1, None), (2, None), (3, 1)]
    assert "3 (revision 1 again)" in outrider("app", "revisions", "Editor").stdout


def test_a_revision_that_is_not_there_is_refused_in_words(plane: Plane, outrider: Outrider) -> None:
    plane.publish()
    result = outrider("app", "pin", "Editor", "7")
    assert result.exit_code == ExitStatus.USAGE
    assert "The app has no such revision." in result.stderr
    assert "it has no revision 7" in result.stderr
