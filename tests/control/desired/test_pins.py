"""Which revision documents want deployed."""

from typing import Any

import pytest

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from control.catalog.pins import deployed_revision
from control.catalog.revisions import find_app
from control.desired.canonical import State, exported, state_of
from control.desired.current import load_state
from control.desired.documents import AppDocument
from control.desired.pins import require_revisions
from control.desired.plan import plan_changes
from tests.control.desired.applying import apply
from tests.control.plane import Plane, manifest_data


@pytest.fixture
def digest(plane: Plane) -> str:
    return plane.services.packages.take(plane.package).digest


def app(digest: str, version: str = "1.0", pin: Any = None) -> State:
    manifest = manifest_data(displayVersion=version)
    return state_of([AppDocument(kind="App", manifest=manifest, package=digest, pin=pin)])


def deployed(plane: Plane) -> tuple[int, bool]:
    """The deployed revision, and whether it is pinned."""
    with plane.services.database.snapshot() as session:
        found = find_app(session, "Editor")
        return deployed_revision(session, found), found.pinned_revision is not None


def test_without_a_word_about_it_a_pin_stays_and_an_app_without_one_goes_on(plane: Plane, digest: str) -> None:
    apply(plane, app(digest, "1.0"))
    apply(plane, app(digest, "2.0"))
    assert deployed(plane) == (2, False)
    apply(plane, app(digest, "2.0", pin=1))
    apply(plane, app(digest, "3.0"))
    assert deployed(plane) == (1, True)
    assert apply(plane, app(digest, "3.0")) == 0


def test_a_pin_is_set_moved_and_lifted_without_another_revision(plane: Plane, digest: str) -> None:
    for version in ("1.0", "2.0"):
        apply(plane, app(digest, version))
    for pin, expected in ((1, (1, True)), (2, (2, True)), (0, (0, True)), ("newest", (2, False))):
        assert apply(plane, app(digest, "2.0", pin=pin)) == 1
        assert deployed(plane) == expected
        assert apply(plane, app(digest, "2.0", pin=pin)) == 0


def test_a_revision_is_made_and_pinned_at_once(plane: Plane, digest: str) -> None:
    apply(plane, app(digest, "1.0", pin=1))
    apply(plane, app(digest, "2.0", pin=2))
    assert deployed(plane) == (2, True)


def test_held_a_new_revision_waits_and_the_same_again_leaves_all_as_it_is(plane: Plane, digest: str) -> None:
    apply(plane, app(digest, "1.0"))
    assert apply(plane, app(digest, "1.0", pin="hold")) == 0
    assert deployed(plane) == (1, False)
    assert apply(plane, app(digest, "2.0", pin="hold")) == 1
    assert deployed(plane) == (1, True)
    # A rollout, say, has brought it to all.
    apply(plane, app(digest, "2.0", pin=2))
    assert apply(plane, app(digest, "2.0", pin="hold")) == 0
    assert deployed(plane) == (2, True)


def test_held_the_first_revision_of_an_app_reaches_nobody(plane: Plane, digest: str) -> None:
    apply(plane, app(digest, pin="hold"))
    assert deployed(plane) == (0, True)


@pytest.mark.parametrize(("version", "pin"), [("1.0", 2), ("2.0", 3), ("1.0", 2**31 - 1)])
def test_a_plan_refuses_a_revision_that_will_not_be_there(plane: Plane, digest: str, version: str, pin: int) -> None:
    apply(plane, app(digest, "1.0"))
    with plane.services.database.snapshot() as session:
        changes = plan_changes(load_state(session), app(digest, version, pin=pin), prune=False)
        with pytest.raises(NotFoundError) as caught:
            require_revisions(session, changes)
    assert (caught.value.code, caught.value.place) == (ErrorCode.UNKNOWN_REVISION, "App Editor")
    assert caught.value.detail == f"it has revisions up to {version[0]}; found pin: {pin}"


def test_an_export_says_pins_and_nothing_where_there_is_none(plane: Plane, digest: str) -> None:
    apply(plane, app(digest, "1.0"))
    with plane.services.database.snapshot() as session:
        assert "pin" not in exported(load_state(session)["App", "Editor"])
    apply(plane, app(digest, "1.0", pin=1))
    with plane.services.database.snapshot() as session:
        assert exported(load_state(session)["App", "Editor"])["pin"] == 1


@pytest.mark.parametrize("pin", [-1, 2**31, True, 1.5, "1", "latest", [], 10**400])
def test_what_is_no_pin_is_refused(digest: str, pin: Any) -> None:
    with pytest.raises(ValueError, match="pin"):
        app(digest, pin=pin)
