"""What a manifest assigns is assigned with its revision: both or neither, and again changes nothing."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from sqlalchemy import event, func, select
from sqlalchemy.engine import Connection

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.queues import ControlTask
from contract.states import Intent
from control.catalog.manifest import Manifest
from control.catalog.publishing import publish_manifest
from control.database.tables import App, Assignment, Base, PolicyRow, RelationRow, Revision, Role
from tests.control.plane import Plane, SignedDevice, manifest_data

ON_DESKS = {"assignments": [{"group": "desks", "intent": "required"}]}


@pytest.fixture
def admin(client: httpx.Client, operator: Callable[[Role], dict[str, str]]) -> httpx.Client:
    client.headers.update(operator(Role.ADMIN))
    return client


def post(plane: Plane, admin: httpx.Client, **changes: Any) -> httpx.Response:
    digest = plane.services.packages.take(plane.package).digest
    return admin.post("/v1/apps", json={"manifest": manifest_data(**changes), "package": digest})


def publish(plane: Plane, **changes: Any) -> tuple[int, bool]:
    digest = plane.services.packages.take(plane.package).digest
    manifest = Manifest.model_validate(manifest_data(**changes))
    services = plane.services
    with services.database.transaction() as session:
        revision, created = publish_manifest(
            session, manifest, digest, policies=services.policies, now=plane.clock.now()
        )
    return revision.number, created


def rows(plane: Plane, table: type[Base]) -> int:
    with plane.services.database.snapshot() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def intents(plane: Plane) -> list[Intent]:
    with plane.services.database.snapshot() as session:
        return list(session.scalars(select(Assignment.intent)))


def test_publishing_assigns_and_devices_of_the_group_get_jobs(
    plane: Plane, admin: httpx.Client, enrolled: Callable[..., SignedDevice]
) -> None:
    enrolled(group_id=plane.group("desks"))
    plane.queue.asked.clear()
    reply = post(plane, admin, **ON_DESKS)
    assert reply.status_code == 201
    assert [(one["app"], one["group"], one["intent"]) for one in reply.json()["assignments"]] == [
        ("Editor", "desks", Intent.REQUIRED)
    ]
    assert plane.queue.asked == [ControlTask.PLAN]
    plane.plan()
    assert len(plane.dispatch()) == 1


@pytest.mark.parametrize(
    ("word", "intent"),
    [("required", Intent.REQUIRED), ("available", Intent.AVAILABLE), ("uninstall", Intent.UNINSTALL)],
)
def test_each_intent_is_the_one_it_is_called(plane: Plane, word: str, intent: Intent) -> None:
    plane.group("desks")
    publish(plane, assignments=[{"group": "desks", "intent": word}])
    assert intents(plane) == [intent]


def test_publishing_again_changes_nothing(either_plane: Plane) -> None:
    either_plane.group("desks")
    assert [publish(either_plane, **ON_DESKS) for _ in range(2)] == [(1, True), (1, False)]
    assert (rows(either_plane, Revision), intents(either_plane)) == (1, [Intent.REQUIRED])


def test_a_group_that_is_not_there_publishes_nothing(plane: Plane, admin: httpx.Client) -> None:
    plane.group("desks")
    wanted = [*ON_DESKS["assignments"], {"group": "shelves", "intent": "required"}]
    reply = post(plane, admin, assignments=wanted)
    assert (reply.status_code, reply.json()["code"], reply.json()["place"]) == (404, "unknown-group", "shelves")
    assert [rows(plane, table) for table in (App, Revision, PolicyRow, Assignment)] == [0, 0, 0, 0]
    assert plane.queue.asked == []


def test_a_publish_cut_off_at_an_assignment_leaves_no_revision(plane: Plane) -> None:
    plane.group("desks")

    def cut_off(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("INSERT INTO assignments "):
            raise KeyboardInterrupt

    event.listen(plane.services.database.engine, "before_cursor_execute", cut_off)
    with pytest.raises(KeyboardInterrupt):
        publish(plane, **ON_DESKS)
    event.remove(plane.services.database.engine, "before_cursor_execute", cut_off)
    assert rows(plane, App) == rows(plane, Revision) == rows(plane, Assignment) == 0
    assert publish(plane, **ON_DESKS) == (1, True)


def test_one_more_group_makes_no_new_revision_but_is_planned(plane: Plane, admin: httpx.Client) -> None:
    plane.group("desks")
    assert post(plane, admin).json()["created"] is True
    plane.queue.asked.clear()
    reply = post(plane, admin, **ON_DESKS)
    assert (reply.status_code, reply.json()["revision"], reply.json()["created"]) == (200, 1, False)
    assert plane.queue.asked == [ControlTask.PLAN]
    assert intents(plane) == [Intent.REQUIRED]


def test_the_manifest_wins_over_an_intent_set_before_and_leaves_other_groups_alone(plane: Plane) -> None:
    publish(plane)
    plane.group("desks")
    plane.group("labs")
    plane.assign("desks", Intent.UNINSTALL)
    plane.assign("labs", Intent.AVAILABLE)
    publish(plane, **ON_DESKS)
    assert sorted(intents(plane)) == [Intent.AVAILABLE, Intent.REQUIRED]


def test_relations_are_kept_with_the_revision(plane: Plane, admin: httpx.Client) -> None:
    relations = {
        "dependencies": [{"app": "Runtime", "dependencyType": "detect"}],
        "supersedence": [{"app": "Old Editor", "supersedenceType": "update"}],
    }
    for name in ("Runtime", "Old Editor"):
        publish(plane, name=name)
    assert post(plane, admin, **relations).status_code == 201
    manifest = admin.get("/v1/apps/Editor").json()["manifest"]
    assert {name: manifest[name] for name in relations} == relations
    assert rows(plane, RelationRow) == 2


def test_an_app_that_is_not_published_yet_cannot_be_named(plane: Plane, admin: httpx.Client) -> None:
    reply = post(plane, admin, dependencies=[{"app": "Runtime"}])
    assert (reply.status_code, reply.json()["code"]) == (404, "unknown-app")
    assert reply.json()["place"] == "dependencies[0].app: Runtime"
    assert [rows(plane, table) for table in (App, Revision, PolicyRow)] == [0, 0, 0]


@pytest.mark.behaviour("2.9 dependency graph")
def test_a_circle_is_refused_with_its_path_and_nothing_is_published(plane: Plane, admin: httpx.Client) -> None:
    publish(plane, name="A")
    publish(plane, name="B", dependencies=[{"app": "A"}])
    publish(plane, name="C", supersedence=[{"app": "B", "supersedenceType": "update"}])
    digest = plane.services.packages.take(plane.package).digest
    wanted = {"manifest": manifest_data(name="A", dependencies=[{"app": "C"}]), "package": digest}
    reply = admin.post("/v1/apps", json=wanted)
    assert (reply.status_code, reply.json()["code"]) == (422, "relation-cycle")
    assert reply.json()["detail"] == "A -> C -> B -> A"
    assert rows(plane, Revision) == 3


def test_an_app_cannot_be_needed_and_superseded() -> None:
    relations = {
        "dependencies": [{"app": "Runtime"}],
        "supersedence": [{"app": "Runtime", "supersedenceType": "update"}],
    }
    with pytest.raises(ValidationError, match=r"supersedence\.0\.app\s+is a dependency, too"):
        Manifest.model_validate(manifest_data(**relations))


@pytest.mark.behaviour("2.8 user-context app assigned to devices")
def test_an_app_that_no_device_could_install_for_a_user_is_refused_before_anything_is_stored(plane: Plane) -> None:
    experience = {"runAsAccount": "user"}
    with pytest.raises(InputError) as caught:
        publish(plane, installExperience=experience, operatingSystems=["windows"])
    assert caught.value.code is ErrorCode.USER_CONTEXT_IMPOSSIBLE
    assert caught.value.place == "installExperience.runAsAccount"
    assert rows(plane, App) == 0


@pytest.mark.parametrize("systems", [[], ["linux"], ["linux", "windows"]])
def test_an_app_that_some_device_can_install_for_a_user_is_published(plane: Plane, systems: list[str]) -> None:
    assert publish(plane, installExperience={"runAsAccount": "user"}, operatingSystems=systems) == (1, True)
