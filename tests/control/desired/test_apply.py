"""Documents against both databases: what was applied is what is there, and applying again does nothing."""

from sqlalchemy import func, select

from control.database.tables import AuditEntry, Revision
from control.desired.canonical import State, state_of
from control.desired.current import tag_of_state
from control.desired.documents import AppDocument, AssignmentDocument, FilterDocument, GroupDocument, RolloutDocument
from tests.control.desired.applying import apply, there
from tests.control.plane import Plane, manifest_data

WINDOW = {"days": ["monday", "friday"], "start": "22:00", "durationInMinutes": 90}


def wanted(digest: str, site: str = "Berlin") -> State:
    manifest = manifest_data(name="Base")
    needing = manifest_data(dependencies=[{"app": "Base"}], attempts=7)
    terms = {"filter": "f", "deadline": "2026-03-01T08:00:00", "timeBasis": "local", "maintenanceWindows": [WINDOW]}
    how = {"restartSettings": {"gracePeriodInMinutes": 0.1}, "notifications": "hideAll"}
    return state_of(
        [
            FilterDocument(kind="Filter", name="f", rule=f'device.site -eq "{site}"'),
            GroupDocument(kind="Group", name="g", rule="device.memoryInMB -ge 1"),
            GroupDocument(kind="Group", name="h"),
            AppDocument(kind="App", manifest=needing, package=digest),
            AppDocument(kind="App", manifest=manifest, package=digest),
            AssignmentDocument.model_validate(
                {"kind": "Assignment", "app": "Editor", "group": "g", **terms, **how, "deliveryPriority": "foreground"}
            ),
            AssignmentDocument.model_validate({"kind": "Assignment", "app": "Editor", "group": "h", "mode": "exclude"}),
            RolloutDocument(kind="Rollout", name="r", app="Editor"),
        ]
    )


def test_what_was_applied_is_there_and_applying_again_changes_nothing(either_plane: Plane) -> None:
    state = wanted(either_plane.services.packages.take(either_plane.package).digest)
    assert apply(either_plane, state) == len(state)
    assert there(either_plane) == state
    assert apply(either_plane, state, prune=True) == 0
    with either_plane.services.database.snapshot() as session:
        assert session.scalar(select(func.count()).select_from(Revision)) == 2
        assert session.scalar(select(func.count()).select_from(AuditEntry)) == 0


def test_apps_that_name_each_other_are_published_in_an_order_in_which_each_is_known(either_plane: Plane) -> None:
    digest = either_plane.services.packages.take(either_plane.package).digest
    manifests = (
        manifest_data(name="A", dependencies=[{"app": "C"}], supersedence=[{"app": "D", "supersedenceType": "update"}]),
        manifest_data(name="B", supersedence=[{"app": "A", "supersedenceType": "update"}]),
        manifest_data(name="C", dependencies=[{"app": "D"}]),
        manifest_data(name="D"),
    )
    state = state_of([AppDocument(kind="App", manifest=manifest, package=digest) for manifest in manifests])
    assert apply(either_plane, state) == len(manifests)
    assert there(either_plane) == state
    assert apply(either_plane, state) == 0


def test_one_other_word_is_one_change(either_plane: Plane) -> None:
    digest = either_plane.services.packages.take(either_plane.package).digest
    apply(either_plane, wanted(digest))
    before = tag_of_state(there(either_plane))
    assert apply(either_plane, wanted(digest, "Rome"), prune=True) == 1
    assert there(either_plane) == wanted(digest, "Rome")
    assert tag_of_state(there(either_plane)) != before


def test_pruning_everything_leaves_apps_and_rollouts(either_plane: Plane) -> None:
    apply(either_plane, wanted(either_plane.services.packages.take(either_plane.package).digest))
    assert apply(either_plane, {}, prune=True) == 5
    assert sorted(there(either_plane)) == [("App", "Base"), ("App", "Editor"), ("Rollout", "r")]
