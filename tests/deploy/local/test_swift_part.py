"""The embedded store's configuration, and what its folder must be able to do."""

import errno
import os
import stat
from pathlib import Path

import pytest
import xattr

from contract.error_codes import ErrorCode
from contract.errors import InputError
from deploy.local.secret_values import StackSecrets
from deploy.local.swift.part import check_attributes, store_part


def refuse(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def setxattr(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(xattr, "setxattr", setxattr)


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.ENOSPC])
def test_a_file_system_without_attributes_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    refuse(monkeypatch, number)
    folder = tmp_path / "store"
    with pytest.raises(InputError) as caught:
        store_part(folder, 20_000, StackSecrets(), "us-east-1")
    assert caught.value.code is ErrorCode.STACK_FOLDER_UNSUITABLE
    assert caught.value.place == str(folder)
    assert "S3_ENDPOINT" in caught.value.code.hint
    assert list(folder.iterdir()) == []


def test_another_fault_of_the_disk_is_not_taken_for_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        check_attributes(tmp_path)


def test_the_configuration_holds_the_key_for_its_owner_alone(tmp_path: Path) -> None:
    secrets = StackSecrets()
    part = store_part(tmp_path, 20_000, secrets, "eu-north-1")
    files = [path for path in tmp_path.iterdir() if path.suffix == ".conf"]
    assert len(files) == 5
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    proxy = (tmp_path / "proxy-server.conf").read_text()
    assert f"user_outrider_control = {secrets.store_key} .admin" in proxy
    assert "location = eu-north-1" in proxy
    assert "$" not in "".join(path.read_text() for path in files)
    assert secrets.store_key not in str(part)
