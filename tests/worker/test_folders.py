import os
import stat
from collections.abc import Iterator
from functools import partial

import pytest

from contract.error_codes import ErrorCode
from contract.errors import DocumentError, InputError
from tests.worker.rig import Rig
from worker.folders import Folders, content_name, remove
from worker.identity import load_identity

NOBODY = 65534


def test_content_is_named_after_app_and_revision(rig: Rig) -> None:
    policy, folders = rig.policy(app_id="59f9a567-b92d-4dc2-9c7a-fdb94e29275c"), rig.device.folders
    assert folders.incoming_file(policy).name == "59f9a567-b92d-4dc2-9c7a-fdb94e29275c_1.bin"
    assert folders.content(policy) == folders.cache / "59f9a567-b92d-4dc2-9c7a-fdb94e29275c_1"


@pytest.mark.parametrize("app_id", ["../etc", "a/b", "a\\b", ".hidden", "a b", "x" * 201, "nul\0"])
def test_an_app_id_that_could_lead_elsewhere_is_refused(rig: Rig, app_id: str) -> None:
    with pytest.raises(DocumentError):
        content_name(rig.policy(app_id=app_id))


def test_nobody_else_can_look_into_the_folders(rig: Rig) -> None:
    for folder in (rig.device.folders.state, rig.device.folders.incoming, rig.device.folders.cache):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.fixture
def folders_of_another_account(rig: Rig) -> Iterator[Folders]:
    """Of a device; the rest of the test runs as somebody else."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only the administrator can become another account")
    os.seteuid(NOBODY)
    yield rig.device.folders
    os.seteuid(0)


def test_another_account_is_told_that_the_folder_is_not_its_own(folders_of_another_account: Folders) -> None:
    folders = folders_of_another_account
    for look in (folders.is_enrolled, folders.create, partial(load_identity, folders.identity)):
        with pytest.raises(InputError) as refused:
            look()
        assert refused.value.code is ErrorCode.STATE_FOLDER_UNUSABLE


def test_all_revisions_of_an_app_are_removed_and_no_other_app(rig: Rig) -> None:
    folders = rig.device.folders
    kept = [folders.cache / "editor_2_1", folders.incoming / "editor_plus_1.bin", folders.cache / "other_1"]
    for path in [folders.cache / "editor_1", folders.cache / "editor_12", *kept]:
        path.mkdir()
    (folders.incoming / "editor_1.bin").touch()
    (folders.staging / "editor_3.zip").touch()
    folders.remove_content(rig.policy())
    left = [*folders.cache.iterdir(), *folders.incoming.iterdir(), *folders.staging.iterdir()]
    assert sorted(left) == sorted(kept)


def test_a_link_is_removed_not_what_it_points_to(rig: Rig) -> None:
    outside = rig.folder / "outside"
    outside.mkdir()
    link = rig.device.folders.cache / "link"
    link.symlink_to(outside)
    remove(link)
    assert outside.exists()
    assert not link.exists()
    remove(link)
