"""Write the encrypted blob: MAC, initialization vector, AES-256-CBC ciphertext (package 1.2)."""

import hashlib
import hmac
import os
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from isal.isal_zlib import crc32_combine

from storage.intunewin.blob import BLOCK_BYTES, MAC_BYTES, chunks, cipher
from storage.intunewin.keys import ContentKeys
from storage.intunewin.lane import Lane
from storage.intunewin.metadata import EncryptionInfo
from storage.intunewin.progress import UNWATCHED, Progress


@dataclass(frozen=True)
class SealedBlob:
    """A blob that has just been written.

    Attributes:
        encryption: What Detection.xml has to say about it.
        plain_size: Bytes of the plain inner zip.
        size: Bytes of the blob.
        crc: CRC-32 of the blob.
    """

    encryption: EncryptionInfo
    plain_size: int
    size: int
    crc: int


def encrypt_blob(plain: BinaryIO, output: BinaryIO, *, keys: ContentKeys, progress: Progress = UNWATCHED) -> SealedBlob:
    """Encrypt the plain inner zip into a blob at the output's current position.

    Args:
        plain: The inner zip, from its current position to its end.
        output: Seekable, because the MAC comes first and is known last. It is left behind the blob's last byte.
        keys: What to encrypt with.
        progress: Told the plain bytes encrypted.
    """
    progress.begin("Encrypting", _left(plain))
    digest = hashlib.sha256()
    tail = _Tail(keys)
    encryptor = cipher(keys.encryption_key, keys.initialization_vector).encryptor()
    plain_size = 0
    start = output.tell()
    output.write(bytes(MAC_BYTES) + keys.initialization_vector)
    with Lane(digest.update) as hashing, Lane(tail.update) as sealing:
        for chunk in chunks(plain):
            plain_size += len(chunk)
            hashing.feed(chunk)
            _send(encryptor.update(chunk), output, sealing)
            progress.advance(len(chunk))
        _send(encryptor.update(_padding(plain_size)) + encryptor.finalize(), output, sealing)
    _overwrite(output, start, tail.mac)
    encryption = EncryptionInfo(
        encryption_key=keys.encryption_key,
        mac_key=keys.mac_key,
        initialization_vector=keys.initialization_vector,
        mac=tail.mac,
        file_digest=digest.digest(),
    )
    return SealedBlob(encryption, plain_size, size=output.tell() - start, crc=tail.crc_of_blob)


class _Tail:
    """MAC and CRC-32 of everything behind the MAC itself."""

    def __init__(self, keys: ContentKeys) -> None:
        self._mac = hmac.new(keys.mac_key, digestmod=hashlib.sha256)
        self._crc = 0
        self._size = 0
        self.update(keys.initialization_vector)

    def update(self, chunk: bytes) -> None:
        self._mac.update(chunk)
        self._crc = zlib.crc32(chunk, self._crc)
        self._size += len(chunk)

    @property
    def mac(self) -> bytes:
        return self._mac.digest()

    @property
    def crc_of_blob(self) -> int:
        return crc32_combine(zlib.crc32(self.mac), self._crc, self._size)


def _send(chunk: bytes, output: BinaryIO, lane: Lane) -> None:
    lane.feed(chunk)
    output.write(chunk)


def _overwrite(output: BinaryIO, position: int, data: bytes) -> None:
    end = output.tell()
    output.seek(position)
    output.write(data)
    output.seek(end)


def _left(stream: BinaryIO) -> int:
    position = stream.tell()
    end = stream.seek(0, os.SEEK_END)
    stream.seek(position)
    return end - position


def _padding(plain_size: int) -> bytes:
    missing = BLOCK_BYTES - plain_size % BLOCK_BYTES
    return bytes([missing]) * missing
