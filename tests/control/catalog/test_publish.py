"""Publishing: idempotent, and invisible until it is whole."""

import hashlib
from pathlib import Path
from typing import BinaryIO

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.engine import Connection

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError, PackageError, UnavailableError
from control.answers.apps import list_apps
from control.answers.pages import PageRequest
from control.catalog.content import PackageIntake, object_key
from control.catalog.revisions import find_app
from control.database.tables import App, Base, Package, PolicyRow, Revision
from storage.intunewin.reader import open_blob, read_metadata
from storage.objects.memory import MemoryObjectStore
from storage.objects.port import StoredObject
from tests.control.plane import Plane


def rows(plane: Plane, table: type[Base]) -> int:
    with plane.services.database.snapshot() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_content_is_stored_as_it_came_under_its_digest(plane: Plane) -> None:
    taken = plane.services.packages.take(plane.package)
    with open_blob(plane.package) as blob:
        content = blob.stream.read()
    assert taken.digest == hashlib.sha256(content).hexdigest()
    with plane.store.read(object_key(taken.digest)) as stored:
        assert stored.read() == content


def test_the_content_key_is_in_the_database_only_wrapped(plane: Plane) -> None:
    taken = plane.services.packages.take(plane.package)
    key = read_metadata(plane.package).encryption.encryption_key
    assert plane.services.content_keys.unwrap(taken.wrapped_key) == key
    url = plane.services.settings.database_url.get_secret_value()
    assert key not in Path(url.removeprefix("sqlite:///")).read_bytes()


def test_the_same_again_gives_the_same_revision(either_plane: Plane) -> None:
    assert [either_plane.publish(), either_plane.publish()] == [1, 1]
    assert rows(either_plane, Revision) == 1
    assert rows(either_plane, PolicyRow) == 3


def test_a_changed_manifest_is_a_new_revision_of_the_same_app(either_plane: Plane) -> None:
    assert [either_plane.publish(), either_plane.publish(displayVersion="2.0")] == [1, 2]
    with either_plane.services.database.snapshot() as session:
        (app,) = list_apps(session, PageRequest()).items
    assert (app.name, app.revision, app.revisions, app.display_version) == ("Editor", 2, 2, "2.0")


def test_going_back_to_an_older_manifest_is_a_new_revision(plane: Plane) -> None:
    assert [plane.publish(), plane.publish(attempts=1), plane.publish()] == [1, 2, 3]


def test_an_app_needs_a_package_that_is_there(plane: Plane) -> None:
    plane.publish()
    with plane.services.database.transaction() as session, pytest.raises(NotFoundError) as caught:
        find_app(session, "Nothing")
    assert caught.value.code is ErrorCode.UNKNOWN_APP


def test_a_damaged_package_leaves_nothing(plane: Plane, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.intunewin"
    data = bytearray(plane.package.read_bytes())
    with open_blob(plane.package) as blob:
        content = blob.stream.read()
    data[data.index(content) + len(content) - 1] ^= 1
    damaged.write_bytes(data)
    with pytest.raises(PackageError) as caught:
        plane.services.packages.take(damaged)
    assert caught.value.code is ErrorCode.PACKAGE_CORRUPT
    assert list(plane.store.keys()) == []
    assert rows(plane, Package) == 0


class FailingStore(MemoryObjectStore):
    """A store that goes away in the middle of an upload."""

    def put(self, key: str, source: BinaryIO, *, size: int) -> StoredObject:
        source.read(size // 2)
        raise UnavailableError(ErrorCode.STORE_UNAVAILABLE)


def test_a_store_that_goes_away_leaves_nothing_visible(plane: Plane) -> None:
    services = plane.services
    intake = PackageIntake(services.database, FailingStore(), services.content_keys, services.clock)
    with pytest.raises(UnavailableError):
        intake.take(plane.package)
    assert rows(plane, Package) == 0


def test_content_that_vanished_from_the_store_is_put_back_by_publishing_again(plane: Plane) -> None:
    key = object_key(plane.services.packages.take(plane.package).digest)
    plane.store.delete(key)
    plane.services.packages.take(plane.package)
    assert plane.store.exists(key)


@pytest.mark.parametrize("table", ["packages", "apps", "revisions", "policies"])
def test_a_publish_cut_off_at_any_row_leaves_no_app_and_can_be_repeated(plane: Plane, table: str) -> None:
    engine = plane.services.database.engine

    def cut_off(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith(f"INSERT INTO {table} "):
            raise KeyboardInterrupt

    event.listen(engine, "before_cursor_execute", cut_off)
    with pytest.raises(KeyboardInterrupt):
        plane.publish()
    assert rows(plane, App) == rows(plane, Revision) == rows(plane, PolicyRow) == 0
    event.remove(engine, "before_cursor_execute", cut_off)
    assert plane.publish() == 1
