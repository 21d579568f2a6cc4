from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from contract.error_codes import ErrorCode
from contract.errors import InputError, NotFoundError
from contract.states import Intent
from control.catalog.manifest import Manifest
from control.catalog.manifest_reader import validate_manifest
from control.catalog.pins import pin
from control.catalog.policies import secrets_for
from control.catalog.publishing import publish_manifest
from control.catalog.revisions import find_app
from control.database.tables import PolicyRow, Revision, RevisionSecret
from control.secrets.keeping import delete_secret, find_secret, set_secret
from control.secrets.uses import apps_asking
from tests.control.plane import Plane, manifest_data

VALUE = "LIC-0123-4567-89AB"
ENTRY = {"name": "editor-licence", "env": "EDITOR_LICENCE"}


def keep(plane: Plane, name: str = "editor-licence", value: str = VALUE) -> int:
    with plane.services.database.transaction() as session:
        return set_secret(session, plane.services.secrets, name, value, plane.clock.now()).version


def delete(plane: Plane, name: str = "editor-licence", *, force: bool = False) -> None:
    with plane.services.database.transaction() as session:
        delete_secret(session, name, force=force)


def publish(plane: Plane, *entries: dict[str, Any], **changes: Any) -> Revision:
    package = plane.services.packages.take(plane.package)
    manifest = validate_manifest(manifest_data(secrets=list(entries), **changes))
    with plane.services.database.transaction() as session:
        revision, _ = publish_manifest(
            session, manifest, package.digest, policies=plane.services.policies, now=plane.clock.now()
        )
        return revision


def test_setting_it_again_makes_a_new_version_and_the_old_value_is_gone(either_plane: Plane) -> None:
    plane = either_plane
    assert keep(plane) == 1
    made = plane.clock.now()
    plane.clock.advance(timedelta(days=1))
    assert keep(plane, value="another value") == 2
    with plane.services.database.snapshot() as session:
        secret = find_secret(session, "editor-licence")
        assert (secret.created_at, secret.changed_at) == (made, plane.clock.now())
        assert plane.services.secrets.unwrap(secret.name, 2, secret.wrapped) == "another value"


def test_no_value_is_in_the_database_as_it_is(plane: Plane) -> None:
    keep(plane)
    publish(plane, ENTRY)
    with plane.services.database.snapshot() as session:
        session.execute(text("PRAGMA wal_checkpoint"))
        path = session.execute(text("PRAGMA database_list")).one()[2]
    with open(path, "rb") as file:  # noqa: PTH123  the database's own path
        assert VALUE.encode() not in file.read()


def test_a_manifest_that_names_an_unknown_secret_is_refused_with_the_place(either_plane: Plane) -> None:
    keep(either_plane)
    with pytest.raises(NotFoundError) as caught:
        publish(either_plane, ENTRY, {"name": "no-such", "env": "X"})
    assert (caught.value.code, caught.value.place) == (ErrorCode.UNKNOWN_SECRET, "secrets[1].name")
    with either_plane.services.database.snapshot() as session:
        assert session.scalars(select(Revision)).all() == []


def test_policies_name_what_their_own_command_is_given_and_hold_no_value(plane: Plane) -> None:
    for name in ("a1", "b1", "c1"):
        keep(plane, name)
    revision = publish(
        plane,
        {"name": "a1", "env": "A"},
        {"name": "b1", "file": "b", "command": "uninstall"},
        {"name": "c1", "env": "C", "command": "both"},
    )
    manifest = Manifest.model_validate_json(revision.manifest)
    given = {intent: [use.name for use in secrets_for(manifest, intent)] for intent in Intent}
    assert given[Intent.REQUIRED] == given[Intent.AVAILABLE] == ["a1", "c1"]
    assert given[Intent.UNINSTALL] == ["b1", "c1"]
    with plane.services.database.snapshot() as session:
        envelopes = [row.envelope for row in session.scalars(select(PolicyRow))]
    assert len(envelopes) == 3
    assert not [envelope for envelope in envelopes if VALUE.encode() in envelope]


def test_a_secret_that_the_newest_revision_asks_for_is_not_deleted(either_plane: Plane) -> None:
    keep(either_plane)
    publish(either_plane, ENTRY)
    with pytest.raises(InputError) as caught:
        delete(either_plane)
    assert (caught.value.code, caught.value.place) == (ErrorCode.SECRET_IN_USE, "editor-licence")
    assert "Editor" in caught.value.detail
    publish(either_plane)
    delete(either_plane)
    with either_plane.services.database.snapshot() as session, pytest.raises(NotFoundError):
        find_secret(session, "editor-licence")


def test_force_deletes_what_is_asked_for(plane: Plane) -> None:
    keep(plane)
    publish(plane, ENTRY)
    delete(plane, force=True)
    with pytest.raises(NotFoundError):
        publish(plane, ENTRY, displayVersion="2")


def test_only_newest_revisions_count_as_asking(either_plane: Plane) -> None:
    keep(either_plane)
    keep(either_plane, "other")
    publish(either_plane, ENTRY, {"name": "editor-licence", "file": "also"})
    publish(either_plane, ENTRY, name="Viewer")
    publish(either_plane, displayVersion="2")
    with either_plane.services.database.snapshot() as session:
        found = apps_asking(session, ["editor-licence", "other"])
        assert len(session.scalars(select(RevisionSecret)).all()) == 2
    assert found == {"editor-licence": ("Viewer",), "other": ()}


def test_a_pinned_revision_counts_as_asking_beside_the_newest(either_plane: Plane) -> None:
    keep(either_plane)
    publish(either_plane, ENTRY)
    publish(either_plane, displayVersion="2")
    with either_plane.services.database.transaction() as session:
        pin(session, find_app(session, "Editor"), 1)
        assert apps_asking(session, ["editor-licence"]) == {"editor-licence": ("Editor",)}
    with pytest.raises(InputError):
        delete(either_plane)
