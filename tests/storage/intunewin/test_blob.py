"""The encrypted blob: checked whole before a byte is decrypted."""

import io
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.error_codes import ErrorCode
from contract.errors import PackageError
from storage.intunewin import blob as blob_module
from storage.intunewin.blob import HEADER_BYTES, blob_size, decrypt_blob, verify_blob
from storage.intunewin.keys import ContentKeys
from storage.intunewin.metadata import EncryptionInfo
from storage.intunewin.seal import encrypt_blob


@dataclass
class Sealed:
    data: bytes
    encryption: EncryptionInfo
    plain: bytes


def seal(plain: bytes) -> Sealed:
    output = io.BytesIO()
    sealed = encrypt_blob(io.BytesIO(plain), output, keys=ContentKeys.fresh())
    return Sealed(output.getvalue(), sealed.encryption, plain)


def assert_refused(data: bytes, encryption: EncryptionInfo, plain_size: int, target: Path) -> PackageError:
    with pytest.raises(PackageError) as caught:
        decrypt_blob(io.BytesIO(data), target, encryption=encryption, plain_size=plain_size)
    assert caught.value.code is ErrorCode.PACKAGE_CORRUPT
    assert not target.exists()
    assert not list(target.parent.iterdir())
    return caught.value


@given(plain=st.binary(max_size=100))
def test_what_was_sealed_opens_again(plain: bytes) -> None:
    sealed = seal(plain)
    assert len(sealed.data) == blob_size(len(plain))
    verify_blob(io.BytesIO(sealed.data), encryption=sealed.encryption, plain_size=len(plain))


def test_a_blob_of_many_chunks_decrypts_to_its_plain_bytes(tmp_path: Path) -> None:
    sealed = seal(bytes(range(256)) * 20_000)
    decrypt_blob(
        io.BytesIO(sealed.data), tmp_path / "plain", encryption=sealed.encryption, plain_size=len(sealed.plain)
    )
    assert (tmp_path / "plain").read_bytes() == sealed.plain


@given(data=st.data())
def test_no_flipped_bit_goes_unnoticed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    sealed = seal(b"some content that is longer than a block or two")
    position = data.draw(st.integers(0, len(sealed.data) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(sealed.data)
    changed[position] ^= 1 << bit
    target = tmp_path_factory.mktemp("flip") / "plain"
    assert_refused(bytes(changed), sealed.encryption, len(sealed.plain), target)


@pytest.mark.parametrize("cut", [1, 16, 40, 63])
def test_a_truncated_blob_is_refused_before_decryption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    sealed = seal(b"0123456789")
    monkeypatch.setattr(blob_module, "cipher", None)
    error = assert_refused(sealed.data[:-cut], sealed.encryption, 10, tmp_path / "plain")
    assert "64 belong to a content of 10 bytes" in error.detail


def test_a_wrong_mac_is_refused_before_decryption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = seal(b"0123456789")
    monkeypatch.setattr(blob_module, "cipher", None)
    wrong = sealed.encryption.model_copy(update={"mac_key": bytes(32)})
    assert "MAC" in assert_refused(sealed.data, wrong, 10, tmp_path / "plain").detail


@pytest.mark.parametrize("field", ["encryption_key", "mac_key", "initialization_vector", "mac", "file_digest"])
def test_metadata_that_lies_is_refused(tmp_path: Path, field: str) -> None:
    sealed = seal(b"0123456789" * 10)
    value = bytearray(getattr(sealed.encryption, field))
    value[0] ^= 1
    wrong = sealed.encryption.model_copy(update={field: bytes(value)})
    assert_refused(sealed.data, wrong, 100, tmp_path / "plain")


@pytest.mark.parametrize("size", [97, 99, 101, 111])
def test_a_size_that_lies_within_the_same_block_is_refused(tmp_path: Path, size: int) -> None:
    sealed = seal(b"0123456789" * 10)
    assert blob_size(size) == len(sealed.data)
    assert_refused(sealed.data, sealed.encryption, size, tmp_path / "plain")


def test_a_blob_starts_with_its_mac_and_vector() -> None:
    sealed = seal(b"x")
    assert sealed.data[:HEADER_BYTES] == sealed.encryption.mac + sealed.encryption.initialization_vector


def test_a_failing_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    sealed = seal(b"0123456789")
    with pytest.raises(PackageError) as caught:
        decrypt_blob(
            io.BytesIO(sealed.data), tmp_path / "missing" / "plain", encryption=sealed.encryption, plain_size=10
        )
    assert caught.value.code is ErrorCode.PACKAGE_WRITE_FAILED


def test_secrets_are_not_shown() -> None:
    sealed = seal(b"x")
    shown = repr(sealed.encryption)
    assert repr(sealed.encryption.encryption_key) not in shown
    assert repr(sealed.encryption.mac_key) not in shown
