"""Run on Windows only."""

import sys

assert sys.platform == "win32"

from pathlib import Path

import pytest

from worker.platform.windows_secrets import close_to_others, seal, unseal


def test_what_is_sealed_can_be_opened_here_and_cannot_be_read() -> None:
    sealed = seal(b"the device's key")
    assert unseal(sealed) == b"the device's key"
    assert b"device" not in sealed


def test_what_was_not_sealed_here_is_refused() -> None:
    sealed = bytearray(seal(b"the device's key"))
    sealed[-1] ^= 1
    for wrong in (bytes(sealed), b"{}", b""):
        with pytest.raises(ValueError, match="cannot open it"):
            unseal(wrong)


def test_the_agent_can_use_a_folder_that_is_closed_to_others(tmp_path: Path) -> None:
    close_to_others(tmp_path)
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
