"""`outrider apply|diff|export` against the API in process."""

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest
import yaml
from pydantic import SecretStr
from typer.testing import Result

from contract.exit_statuses import ExitStatus
from control.client.control_client import ControlClient
from control.database.tables import Role
from control.security.operator_tokens import create_operator_token
from control.settings import ControlSettings
from tests.control.plane import Plane, SignedDevice, manifest_data

Outrider = Callable[..., Result]

FLEET = """
kind: Filter
name: strong
rule: device.memoryInMB -ge 1024
---
kind: Group
name: berlin
rule: device.site -eq "Berlin"
---
kind: Group
name: labs
---
kind: App
manifest: editor.manifest.yaml
package: editor.intunewin
---
kind: Assignment
app: Editor
group: berlin
filter: strong
start: 2026-03-01T08:00:00
deadline: 2026-03-02 20:00:00
timeBasis: local
notifications: hideAll
restartSettings: {gracePeriodInMinutes: 0.1}
deliveryPriority: foreground
---
kind: Assignment
app: Editor
group: labs
mode: exclude
---
kind: Rollout
name: Editor first
app: Editor
rings:
- {name: pilots, groups: [labs]}
- {name: all}
"""


PINNED = "kind: App\nmanifest: editor.manifest.yaml\npackage: editor.intunewin\npin: {}\n"


@pytest.fixture
def fleet(plane: Plane, tmp_path: Path) -> Path:
    """A folder that describes a small fleet."""
    folder = tmp_path / "fleet"
    folder.mkdir()
    (folder / "fleet.yaml").write_text(FLEET, encoding="utf-8")
    manifest = manifest_data(requirementRules=[], attempts=5)
    (folder / "editor.manifest.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
    shutil.copy(plane.package, folder / "editor.intunewin")
    return folder


@pytest.fixture
def outrider_of(
    outrider: Outrider, make_client: Callable[[Plane], httpx.Client], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Plane], Outrider]:
    """Run `outrider` against another control plane from then on."""

    def login(other: Plane) -> Outrider:
        with other.services.database.transaction() as session:
            now = other.clock.now()
            token, _ = create_operator_token(session, name="test", role=Role.ADMIN, lifetime=None, now=now)
        monkeypatch.setenv("OUTRIDER_TOKEN", token)
        transport = make_client(other)._transport
        monkeypatch.setattr("control.cli.connection.ControlClient", partial(ControlClient, transport=transport))
        return outrider

    return login


def tables(plane: Plane) -> list[object]:
    """Everything that desired state can touch."""
    names = (
        "filters",
        "groups",
        "group_members",
        "apps",
        "revisions",
        "packages",
        "assignments",
        "rollouts",
        "audit_entries",
    )
    with plane.services.database.engine.connect() as connection:
        return [connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names]


def read_all(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_plan_is_shown_and_changes_nothing(plane: Plane, outrider: Outrider, fleet: Path) -> None:
    before = tables(plane)
    shown = outrider("diff", "-f", str(fleet))
    assert shown.exit_code == 0, shown.output
    assert "+ Filter strong" in shown.stdout
    assert "+ Assignment Editor on berlin" in shown.stdout
    assert "7 to create, 0 to change, 0 to remove." in shown.stdout
    assert tables(plane) == before
    assert outrider("diff", "-f", str(fleet), "--exit-code").exit_code == ExitStatus.FAILED


def test_applying_makes_all_of_it_and_applying_again_nothing(plane: Plane, outrider: Outrider, fleet: Path) -> None:
    done = outrider("apply", "-f", str(fleet), "--yes")
    assert done.exit_code == 0, done.output
    assert "Done." in done.stdout
    shown = json.loads(outrider("assignment", "show", "Editor", "--group", "berlin", "--json").stdout)
    assert (shown["filter"], shown["start"], shown["time_basis"]) == ("strong", "2026-03-01T08:00:00", "local")
    before = tables(plane)
    assert "Nothing to change." in outrider("apply", "-f", str(fleet), "--yes").stdout
    assert tables(plane) == before
    assert outrider("diff", "-f", str(fleet), "--exit-code").exit_code == ExitStatus.OK


def test_without_a_yes_nothing_is_done(plane: Plane, outrider: Outrider, fleet: Path) -> None:
    before = tables(plane)
    assert outrider("apply", "-f", str(fleet)).exit_code == 1
    assert outrider("apply", "-f", str(fleet), "--json").exit_code == ExitStatus.USAGE
    assert tables(plane) == before


def test_an_export_applied_to_an_empty_plane_exports_the_same_bytes(
    plane: Plane,
    outrider: Outrider,
    fleet: Path,
    tmp_path: Path,
    settings: ControlSettings,
    migrated_sqlite: Path,
    outrider_of: Callable[[Plane], Outrider],
    *,
    make_plane: Callable[[ControlSettings], Plane],
) -> None:
    assert outrider("apply", "-f", str(fleet), "--yes").exit_code == 0
    assert outrider("export", str(tmp_path / "first")).exit_code == 0
    path = shutil.copy(migrated_sqlite, tmp_path / "other.db")
    other = make_plane(settings.model_copy(update={"database_url": SecretStr(f"sqlite:///{path}")}))
    other.services.packages.take(other.package)
    elsewhere = outrider_of(other)
    applied = elsewhere("apply", "-f", str(tmp_path / "first"), "--yes")
    assert applied.exit_code == 0, applied.output
    assert elsewhere("export", str(tmp_path / "second")).exit_code == 0
    assert read_all(tmp_path / "first") == read_all(tmp_path / "second")
    assert len(read_all(tmp_path / "first")) == 5


def test_an_export_replaces_another_only_by_force(outrider: Outrider, fleet: Path, tmp_path: Path) -> None:
    assert outrider("apply", "-f", str(fleet), "--yes").exit_code == 0
    out = str(tmp_path / "out")
    assert outrider("export", out).exit_code == 0
    before = read_all(tmp_path / "out")
    refused = outrider("export", out)
    assert (refused.exit_code, "earlier export" in refused.stderr) == (ExitStatus.USAGE, True)
    assert outrider("export", out, "--force").exit_code == 0
    assert read_all(tmp_path / "out") == before


def test_what_the_files_no_longer_name_is_removed_by_prune_only(plane: Plane, outrider: Outrider, fleet: Path) -> None:
    assert outrider("apply", "-f", str(fleet), "--yes").exit_code == 0
    documents = [one for one in yaml.safe_load_all(FLEET) if one["kind"] == "Group"]
    (fleet / "fleet.yaml").write_text(yaml.safe_dump_all(documents), encoding="utf-8")
    (fleet / "editor.manifest.yaml").unlink()
    assert "Nothing to change." in outrider("diff", "-f", str(fleet)).stdout
    pruned = outrider("apply", "-f", str(fleet), "--prune", "--yes")
    assert pruned.exit_code == 0, pruned.output
    assert "0 to create, 0 to change, 3 to remove." in pruned.stdout
    assert json.loads(outrider("assignment", "list", "--json").stdout) == []
    assert [one["name"] for one in json.loads(outrider("group", "list", "--json").stdout)] == ["berlin", "labs"]
    assert [one["name"] for one in json.loads(outrider("app", "list", "--json").stdout)] == ["Editor"]


def test_a_group_that_is_pruned_while_a_token_needs_it_leaves_everything_as_it_was(
    plane: Plane, outrider: Outrider, fleet: Path
) -> None:
    plane.token(group_id=plane.group("kept"))
    (fleet / "fleet.yaml").write_text('kind: Filter\nname: a\nrule: site -eq "x"\n', encoding="utf-8")
    (fleet / "editor.manifest.yaml").unlink()
    before = tables(plane)
    refused = outrider("apply", "-f", str(fleet), "--prune", "--yes")
    assert (refused.exit_code, "an enrolment token" in refused.stderr) == (ExitStatus.USAGE, True)
    assert tables(plane) == before


def test_a_change_is_shown_with_what_was_and_what_will_be(outrider: Outrider, fleet: Path) -> None:
    assert outrider("apply", "-f", str(fleet), "--yes").exit_code == 0
    (fleet / "fleet.yaml").write_text(FLEET.replace("-ge 1024", "-ge 2048"), encoding="utf-8")
    shown = outrider("apply", "-f", str(fleet), "--yes").stdout
    assert "~ Filter strong" in shown
    assert "1024" in shown
    assert "-> " in shown
    assert "2048" in json.loads(outrider("filter", "show", "strong", "--json").stdout)["rule"]


def test_what_changed_since_the_plan_was_shown_is_not_overwritten(
    plane: Plane, outrider: Outrider, fleet: Path, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def someone_else(*_arguments: object, **_options: object) -> bool:
        plane.group("made meanwhile")
        return True

    monkeypatch.setattr("typer.confirm", someone_else)
    refused = outrider("apply", "-f", str(fleet))
    assert refused.exit_code == ExitStatus.USAGE
    assert "changed since the plan was made" in refused.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: Filter\nname: a\n", "fleet.yaml:1"),
        ("kind: Filter\nname: a\nrule: site eq x", "fleet.yaml:1: Filter a"),
        ("\n\n---\nkind: Nothing\n", "fleet.yaml:4"),
        ("kind: [Group]\n", "expected `kind:` with one of"),
        ("name: a\n", "expected `kind:` with one of Filter, Group, App, Assignment, Rollout; found nothing"),
        ("- a\n", "found list"),
        ("a: &x [1]\nb: *x\n", "anchors and aliases"),
        ("kind: Group\nkind: Group\n", "said twice"),
        ("kind: !!python/object:os.system {}\n", "is not YAML"),
        ("1: 2\n", "expected text as a key"),
        ("a: " + "[" * 5000, "nested more than"),
        ("a: 2026-99-99", "is not YAML"),
        ("\x00", "is not YAML"),
        ("kind: Group\nname: a\n---\nkind: Group\nname: a\n", "described twice, first at"),
        ("kind: Group\nname: a/b\n", "name"),
        ("kind: Group\nname: 12\n", "found 12"),
        ("kind: Group\nname: a\ncolour: red\n", "colour"),
        ("kind: Assignment\napp: A\ngroup: b\n", "refers to App A, which is not there"),
        ("kind: Assignment\napp: A\ngroup: b\nmode: exclude\nintent: required\n", "an excluded group has no intent"),
        ("kind: Assignment\napp: A\ngroup: b\ndeadline: 0001-01-01T00:00:00+14:00\n", "expected a year"),
        ("kind: App\nmanifest: nothing.yaml\npackage: editor.intunewin\n", "nothing.yaml"),
        ("kind: App\nmanifest: editor.manifest.yaml\npackage: nothing.intunewin\n", "nothing.intunewin"),
        (f"kind: App\nmanifest: editor.manifest.yaml\npackage: {'a' * 64}\n", "no such package"),
        ("kind: App\nmanifest: {name: X}\npackage: editor.intunewin\n", "installCommandLine"),
        ("kind: Rollout\nname: r\napp: A\nrings: []\n", "rings"),
        ("x" * (1 << 21), "is larger than"),
        ("kind: Group\nname: a\nmembers: [ghost]\n", "no enrolled device has this name or id: ghost"),
        ("kind: Group\nname: a\nmembers: &m [ghost]\n", "anchors and aliases"),
        ("kind: Group\nname: a\nmembers: ghost\n", "members"),
        ("kind: Group\nname: a\nmembers: [12]\n", "found 12"),
        ("kind: Group\nname: a\nmembers: [{a: b}]\n", "members.0"),
        ('kind: Group\nname: a\nmembers: [""]\n', "members.0"),
        ("kind: Group\nname: a\nmembers: [" + "g, " * 100_001 + "]\n", "members"),
        ('kind: Group\nname: a\nrule: site -eq "x"\nmembers: []\n', "say `rule` or `members`"),
        (PINNED.format("1e999"), "pin"),
        (PINNED.format("9" * 5000), "a number of more than 40 characters"),
        (PINNED.format("0x" + "f" * 5000), "a number of more than 40 characters"),
        (PINNED.format("1:" * 5000 + "1"), "a number of more than 40 characters"),
        (PINNED.format("1." + "1" * 5000), "a number of more than 40 characters"),
        (PINNED.format("-1"), "pin"),
        (PINNED.format("0x7fffffffff"), "pin"),
        (PINNED.format("yes"), "pin"),
        (PINNED.format("*hold"), "anchors and aliases"),
        (PINNED.format("[hold]"), "pin"),
        (PINNED.format("2"), "it has revisions up to 1; found pin: 2"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_nothing_changes(
    plane: Plane, outrider: Outrider, fleet: Path, text: str, said: str
) -> None:
    (fleet / "fleet.yaml").write_text(text, encoding="utf-8")
    if "editor.manifest" not in text:
        (fleet / "editor.manifest.yaml").unlink()
    before = tables(plane)
    refused = outrider("apply", "-f", str(fleet), "--yes")
    assert refused.exit_code == ExitStatus.USAGE, refused.output
    assert said in refused.stderr
    assert tables(plane) == before


def test_the_devices_of_a_group_are_written_and_read(
    plane: Plane, outrider: Outrider, tmp_path: Path, enrolled: Callable[..., SignedDevice]
) -> None:
    enrolled("desk-1", plane.group("desks"))
    enrolled("desk-2")
    assert outrider("export", str(tmp_path)).exit_code == 0
    assert "members" not in (tmp_path / "groups.yaml").read_text(encoding="utf-8")
    assert outrider("export", str(tmp_path), "--members", "--force").exit_code == 0
    (document,) = yaml.safe_load_all((tmp_path / "groups.yaml").read_text(encoding="utf-8"))
    assert document == {"kind": "Group", "name": "desks", "members": ["desk-1"]}
    assert "Nothing to change." in outrider("diff", "-f", str(tmp_path)).stdout
    (tmp_path / "groups.yaml").write_text(yaml.safe_dump({**document, "members": ["desk-2"]}), encoding="utf-8")
    applied = outrider("apply", "-f", str(tmp_path), "--yes")
    assert "    members: 1 in (desk-2), 1 out (desk-1)" in applied.stdout
    shown = json.loads(outrider("device", "show", "desk-2", "--json").stdout)
    assert shown["groups"] == ["desks"]


def test_devices_that_others_put_in_since_the_plan_was_shown_are_not_thrown_out(
    plane: Plane,
    outrider: Outrider,
    tmp_path: Path,
    enrolled: Callable[..., SignedDevice],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    group_id = plane.group("desks")
    enrolled("desk-1", group_id)
    (tmp_path / "groups.yaml").write_text("kind: Group\nname: desks\nmembers: []\n", encoding="utf-8")

    def someone_else(*_arguments: object, **_options: object) -> bool:
        enrolled("desk-2", group_id)
        return True

    monkeypatch.setattr("typer.confirm", someone_else)
    refused = outrider("apply", "-f", str(tmp_path))
    assert (refused.exit_code, "changed since the plan was made" in refused.stderr) == (ExitStatus.USAGE, True)
    assert json.loads(outrider("group", "show", "desks", "--json").stdout)["members"] == 2


def test_a_held_revision_comes_with_its_rollout_in_one_change(plane: Plane, outrider: Outrider, fleet: Path) -> None:
    assert outrider("apply", "-f", str(fleet), "--yes").exit_code == 0
    assert outrider("rollout", "cancel", "Editor first").exit_code == 0
    held = FLEET.replace("editor.intunewin\n", "editor.intunewin\npin: hold\n").replace("Editor first", "Editor next")
    (fleet / "fleet.yaml").write_text(held, encoding="utf-8")
    manifest = fleet / "editor.manifest.yaml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("attempts: 5", "attempts: 6"), encoding="utf-8")
    applied = outrider("apply", "-f", str(fleet), "--yes")
    assert applied.exit_code == 0, applied.output
    shown = json.loads(outrider("rollout", "status", "Editor next", "--json").stdout)
    assert (shown["state"], shown["revision"]) == ("draft", 2)
    assert "Nothing to change." in outrider("diff", "-f", str(fleet)).stdout


def test_a_folder_that_is_not_there_is_said(outrider: Outrider, tmp_path: Path) -> None:
    refused = outrider("diff", "-f", str(tmp_path / "nowhere"))
    assert (refused.exit_code, "cannot be read" in refused.stderr) == (ExitStatus.USAGE, True)


def test_an_empty_folder_changes_nothing(outrider: Outrider, tmp_path: Path) -> None:
    assert "Nothing to change." in outrider("apply", "-f", str(tmp_path), "--yes").stdout


def test_a_viewer_may_look_but_not_touch(outrider_as: Callable[[Role], Outrider], fleet: Path, tmp_path: Path) -> None:
    viewer = outrider_as(Role.VIEWER)
    assert viewer("export", str(tmp_path / "out")).exit_code == 0
    assert viewer("apply", "-f", str(fleet), "--yes").exit_code == ExitStatus.REFUSED
