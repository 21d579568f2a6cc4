import stat
from pathlib import Path

import pytest

from contract.error_codes import ErrorCode
from contract.errors import DocumentError, InputError
from tests.worker.rig import Rig
from worker.identity import load_identity, save_identity


def test_an_identity_is_read_as_it_was_written(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "new" / "identity.json"
    save_identity(rig.identity, path)
    assert load_identity(path) == rig.identity


def test_only_the_owner_can_read_it(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "identity.json"
    save_identity(rig.identity, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_written_once_and_leaves_nothing_else(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "new" / "identity.json"
    save_identity(rig.identity, path)
    before = path.read_bytes()
    with pytest.raises(InputError) as caught:
        save_identity(rig.identity.model_copy(update={"name": "other"}), path)
    assert caught.value.code is ErrorCode.ALREADY_ENROLLED
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_device_that_is_not_enrolled_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_identity(tmp_path / "identity.json")
    assert caught.value.code is ErrorCode.NOT_ENROLLED


def test_a_damaged_identity_is_an_error_that_shows_no_secret(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "identity.json"
    secret = rig.identity.model_dump(mode="json")["signing_key"]
    path.write_text(rig.identity.to_json().replace('"device_id":"', '"device_id":"no-uuid-'), encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        load_identity(path)
    assert secret not in str(caught.value)


def test_secrets_are_not_shown(rig: Rig) -> None:
    assert "broker_secret" not in repr(rig.identity)
    assert "signing_key" not in repr(rig.identity)
    assert "sealing_key" not in repr(rig.identity)
