"""The plain inner zip as a seekable stream over the blob, so that it need not be written to a disk.

CBC can be read from any block: a block needs only the ciphertext block before it (package 1.2).
"""

import io
from typing import BinaryIO

from typing_extensions import Buffer, override

from storage.intunewin.blob import BLOCK_BYTES, HEADER_BYTES, cipher
from storage.intunewin.metadata import EncryptionInfo

_BUFFER_BYTES = 1 << 18


class DecryptedReader(io.RawIOBase):
    """Plain bytes of a blob whose MAC has been verified.

    Nothing here checks the digest; `VerifiedPlain` does beside it.
    """

    def __init__(self, blob: BinaryIO, encryption: EncryptionInfo, plain_size: int) -> None:
        super().__init__()
        self._blob = blob
        self._key = encryption.encryption_key
        self._size = plain_size
        self._position = 0

    @classmethod
    def buffered(cls, blob: BinaryIO, encryption: EncryptionInfo, plain_size: int) -> io.BufferedReader:
        """The same with a buffer that makes small reads cheap."""
        return io.BufferedReader(cls(blob, encryption, plain_size), _BUFFER_BYTES)

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("a position before the start")
        self._position = base + offset
        return self._position

    @override
    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), max(0, self._size - self._position))
        plain = self._plain(self._position, wanted) if wanted else b""
        view[: len(plain)] = plain
        self._position += len(plain)
        return len(plain)

    def _plain(self, position: int, size: int) -> bytes:
        skipped = position % BLOCK_BYTES
        first = position - skipped
        # The block before the first one: of the ciphertext, or the initialization vector, which stands before it.
        self._blob.seek(HEADER_BYTES + first - BLOCK_BYTES)
        vector = self._blob.read(BLOCK_BYTES)
        ciphertext = self._blob.read(-(-(skipped + size) // BLOCK_BYTES) * BLOCK_BYTES)
        plain = cipher(self._key, vector).decryptor().update(ciphertext)
        return plain[skipped : skipped + size]
