"""`outrider app revisions`, `pin`, `unpin` and `rollback`."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import Result

from contract.exit_statuses import ExitStatus
from tests.control.plane import Plane, manifest_data

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


@pytest.fixture
def files(plane: Plane, tmp_path: Path) -> Path:
    """A package, and its manifest beside it."""
    package = tmp_path / "editor.intunewin"
    shutil.copy(plane.package, package)
    package.with_suffix(".yaml").write_text(yaml.safe_dump(manifest_data()), encoding="utf-8")
    return package


def test_a_revision_that_is_held_says_how_it_gets_to_devices(plane: Plane, outrider: Outrider, files: Path) -> None:
    shown = outrider("app", "publish", str(files), "--hold")
    assert "Editor revision 1: published." in shown.stdout
    assert "No revision is deployed: bring this one with `outrider rollout create Editor`" in shown.stdout
    assert "to all with `outrider app unpin Editor`" in shown.stdout
    assert outrider("app", "unpin", "Editor").stdout == "Editor is deployed at revision 1, the newest.\n"


def test_the_present_revision_stays_deployed_when_the_next_one_is_held(
    plane: Plane, outrider: Outrider, files: Path
) -> None:
    plane.publish(displayVersion="0.9")
    reply = json.loads(outrider("app", "publish", str(files), "--hold", "--json").stdout)
    assert (reply["revision"], reply["deployed"], reply["created"]) == (2, 1, True)
    again = outrider("app", "publish", str(files))
    assert "nothing changed in it" in again.stdout
    assert "Revision 1 stays deployed" in again.stdout
