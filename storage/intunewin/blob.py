"""Read the encrypted blob: MAC, initialization vector, AES-256-CBC ciphertext (package 1.2).

Nothing is decrypted before the MAC over the whole blob has been verified.
"""

import hashlib
import hmac
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from storage.intunewin.failures import corrupt, reading, writing
from storage.intunewin.lane import Lane
from storage.intunewin.metadata import EncryptionInfo
from storage.intunewin.whole_file import whole_file

MAC_BYTES = 32
IV_BYTES = 16
BLOCK_BYTES = 16
#: What stands before the ciphertext.
HEADER_BYTES = MAC_BYTES + IV_BYTES

_CHUNK_BYTES = 1 << 20
_PLACE = "encrypted content"


def blob_size(plain_size: int) -> int:
    """The length of the blob for that many plain bytes: PKCS#7 always adds one to sixteen (package 1.2)."""
    return HEADER_BYTES + BLOCK_BYTES * (plain_size // BLOCK_BYTES + 1)


def decrypt_blob(source: Path | BinaryIO, target: Path, *, encryption: EncryptionInfo, plain_size: int) -> None:
    """Decrypt a blob into the plain inner zip, in bounded memory.

    Args:
        source: The blob, a file or a seekable stream that starts with its first byte.
        target: The file to write; it appears whole and checked, or not at all.
        encryption: The package's encryption information.
        plain_size: The package's `unencrypted_content_size`, bytes.

    Raises:
        PackageError: PACKAGE_CORRUPT where length, MAC, initialization vector, padding or digest are wrong;
            PACKAGE_WRITE_FAILED where the target cannot be written.
    """
    with _opened(source) as blob:
        verify_mac(blob, encryption=encryption, plain_size=plain_size)
        with whole_file(target) as output:
            for chunk in checked_plain(blob, encryption=encryption, plain_size=plain_size):
                with writing(target):
                    output.write(chunk)


def verify_blob(source: Path | BinaryIO, *, encryption: EncryptionInfo, plain_size: int) -> None:
    """Make the checks of `decrypt_blob` without writing anything.

    Raises:
        PackageError: PACKAGE_CORRUPT where length, MAC, initialization vector, padding or digest are wrong.
    """
    with _opened(source) as blob:
        verify_mac(blob, encryption=encryption, plain_size=plain_size)
        for _ in checked_plain(blob, encryption=encryption, plain_size=plain_size):
            pass


def verify_mac(blob: BinaryIO, *, encryption: EncryptionInfo, plain_size: int) -> None:
    """Check length, MAC and initialization vector of the whole blob; nothing is decrypted.

    Raises:
        PackageError: PACKAGE_CORRUPT where one of them is wrong.
    """
    _check_length(blob, plain_size)
    blob.seek(0)
    header = blob.read(HEADER_BYTES)
    mac = hmac.new(encryption.mac_key, header[MAC_BYTES:], hashlib.sha256)
    for chunk in chunks(blob):
        mac.update(chunk)
    if not hmac.compare_digest(mac.digest(), encryption.mac) or not hmac.compare_digest(
        header[:MAC_BYTES], encryption.mac
    ):
        raise corrupt("the MAC does not match: the content was changed or the keys are another package's", _PLACE)
    if header[MAC_BYTES:] != encryption.initialization_vector:
        raise corrupt("its initialization vector is not the one in Detection.xml", _PLACE)


def checked_plain(blob: BinaryIO, *, encryption: EncryptionInfo, plain_size: int) -> Iterator[bytes]:
    """Decrypt chunk by chunk a blob whose MAC has been verified.

    Raises:
        PackageError: PACKAGE_CORRUPT after the last chunk where padding or digest are wrong.
    """
    digest = hashlib.sha256()
    left = plain_size
    padding = b""
    blob.seek(HEADER_BYTES)
    decryptor = cipher(encryption.encryption_key, encryption.initialization_vector).decryptor()
    with Lane(digest.update) as hashing:
        for chunk in chunks(blob):
            plain = decryptor.update(chunk)
            padding += plain[left:]
            plain = plain[:left]
            left -= len(plain)
            hashing.feed(plain)
            yield plain
    if len(padding) > BLOCK_BYTES or padding != bytes([len(padding)]) * len(padding):
        raise corrupt("the padding is wrong: the encryption key is another package's", _PLACE)
    if not hmac.compare_digest(digest.digest(), encryption.file_digest):
        raise corrupt("the decrypted content does not have the digest in Detection.xml", _PLACE)


def cipher(key: bytes, initialization_vector: bytes) -> Cipher[CBC]:
    """AES-256-CBC as the format uses it."""
    return Cipher(AES256(key), CBC(initialization_vector))


def chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The stream from its position to its end, in pieces of bounded size."""
    while chunk := stream.read(_CHUNK_BYTES):
        yield chunk


@contextmanager
def _opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(source, Path):
        yield source
        return
    with reading(source):
        file = source.open("rb")
    with file:
        yield file


def _check_length(blob: BinaryIO, plain_size: int) -> None:
    found, expected = blob.seek(0, os.SEEK_END), blob_size(plain_size)
    if found != expected:
        detail = f"the blob has {found} bytes, {expected} belong to a content of {plain_size} bytes"
        raise corrupt(detail, _PLACE)
