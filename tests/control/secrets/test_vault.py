from pathlib import Path

import pytest

from contract.errors import InputError, TrustError
from control.secrets.vault import SecretVault
from control.security.content_keys import ContentKeys, ensure_key_encryption_key

VALUE = "LIC-0123-4567-89AB"


@pytest.fixture
def vault(tmp_path: Path) -> SecretVault:
    ensure_key_encryption_key(tmp_path)
    return SecretVault.load(tmp_path)


def test_what_is_wrapped_opens_again_and_shows_nothing(vault: SecretVault) -> None:
    wrapped = vault.wrap("licence", 1, VALUE)
    assert vault.unwrap("licence", 1, wrapped) == VALUE
    assert VALUE.encode() not in wrapped
    assert vault.wrap("licence", 1, VALUE) != wrapped


@pytest.mark.parametrize(("name", "version"), [("password", 1), ("licence", 2), ("licence 1", 1)])
def test_a_value_moved_to_another_name_or_version_is_refused(vault: SecretVault, name: str, version: int) -> None:
    with pytest.raises(TrustError) as caught:
        vault.unwrap(name, version, vault.wrap("licence", 1, VALUE))
    assert caught.value.place == name


@pytest.mark.parametrize("position", [0, 11, 12, 20, -1])
def test_a_changed_byte_is_refused(vault: SecretVault, position: int) -> None:
    wrapped = bytearray(vault.wrap("licence", 1, VALUE))
    wrapped[position] ^= 1
    with pytest.raises(TrustError):
        vault.unwrap("licence", 1, bytes(wrapped))


@pytest.mark.parametrize("wrapped", [b"", b"short", bytes(12), bytes(28)])
def test_what_was_never_wrapped_is_refused(vault: SecretVault, wrapped: bytes) -> None:
    with pytest.raises(TrustError):
        vault.unwrap("licence", 1, wrapped)


def test_another_state_folders_key_opens_nothing(vault: SecretVault, tmp_path: Path) -> None:
    ensure_key_encryption_key(tmp_path / "other")
    with pytest.raises(TrustError):
        SecretVault.load(tmp_path / "other").unwrap("licence", 1, vault.wrap("licence", 1, VALUE))


def test_the_key_is_not_the_one_that_wraps_content_keys(vault: SecretVault, tmp_path: Path) -> None:
    with pytest.raises(TrustError):
        ContentKeys.load(tmp_path).unwrap(vault.wrap("licence", 1, VALUE))


def test_without_a_key_file_there_is_no_vault(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        SecretVault.load(tmp_path / "empty")
