"""The plain inner zip as a seekable stream over the blob, so that it need not be written to a disk.

CBC can be read from any block: a block needs only the ciphertext block before it (package 1.2).
"""

import io
from typing import BinaryIO

from typing_extensions import override

from storage.intunewin.blob import BLOCK_BYTES, HEADER_BYTES, cipher
from storage.intunewin.metadata import EncryptionInfo
from storage.intunewin.positioned import PositionedReader

_BUFFER_BYTES = 1 << 18


class DecryptedReader(PositionedReader):
    """Plain bytes of a blob whose MAC has been verified.

    Nothing here checks the digest; `VerifiedPlain` does beside it.
    """

    def __init__(self, blob: BinaryIO, encryption: EncryptionInfo, plain_size: int) -> None:
        super().__init__(plain_size)
        self._blob = blob
        self._key = encryption.encryption_key

    @classmethod
    def buffered(cls, blob: BinaryIO, encryption: EncryptionInfo, plain_size: int) -> io.BufferedReader:
        """The same with a buffer that makes small reads cheap."""
        return io.BufferedReader(cls(blob, encryption, plain_size), _BUFFER_BYTES)

    @override
    def _fill(self, position: int, view: memoryview) -> int:
        plain = self._plain(position, len(view))
        view[: len(plain)] = plain
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
