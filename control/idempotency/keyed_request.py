"""A request with an idempotency key, and its answer as it may stand in the database."""

import json
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_bytes
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE: Final = b"outrider-kept-answer-1"
_NONCE_BYTES: Final = 12
_CIPHER_KEY_BYTES: Final = 32


@dataclass(frozen=True)
class Answer:
    """An answer as it was sent; `body` is JSON."""

    status: int
    media_type: str
    body: bytes


@dataclass(frozen=True)
class KeyedRequest:
    """A request that its sender may send again.

    Attributes:
        authorization: The header that carries the operator's token.
        key: What the sender calls the request.
        content: Method, target and body.
    """

    authorization: bytes
    key: bytes
    content: bytes

    @property
    def key_digest(self) -> str:
        """Names the key of this operator."""
        return sha256(_joined(_PURPOSE, self.authorization, self.key)).hexdigest()

    @property
    def request_digest(self) -> str:
        """Names what is asked for."""
        return sha256(self.content).hexdigest()

    def seal(self, answer: Answer) -> bytes:
        """The answer for the database; it may hold a new token, so only who has this token and key can read it."""
        head = json.dumps([answer.status, answer.media_type]).encode()
        nonce = token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, head + b"\n" + answer.body, self._context)

    def open(self, sealed: bytes) -> Answer:
        """The answer to this request.

        Raises:
            InvalidTag: It is the answer to another one, or was changed.
        """
        plain = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._context)
        head, body = plain.split(b"\n", 1)
        status, media_type = json.loads(head)
        return Answer(status, media_type, body)

    @property
    def _cipher(self) -> AESGCM:
        derivation = HKDF(algorithm=SHA256(), length=_CIPHER_KEY_BYTES, salt=None, info=_PURPOSE)
        return AESGCM(derivation.derive(_joined(self.authorization, self.key)))

    @property
    def _context(self) -> bytes:
        return _joined(self.key_digest.encode(), self.request_digest.encode())


def _joined(*parts: bytes) -> bytes:
    return b"\0".join(parts)
