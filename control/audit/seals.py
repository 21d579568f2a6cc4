"""Seals of audit entries: each covers its entry and the seal before it, under a key that the database never sees."""

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from control.security.content_keys import read_key_encryption_key

_KEY_BYTES: Final = 32
_PURPOSE: Final = b"outrider-audit-seal-1"

#: What stands before the first entry.
NO_SEAL: Final = "0" * 64


@dataclass(frozen=True)
class SealedFacts:
    """What a seal covers: everything an entry says, and its place."""

    sequence: int
    at: str
    actor: str
    source: str
    action: str
    target: str
    before: str
    after: str
    previous_seal: str


class AuditSealer:
    """Makes seals; who writes to the database alone cannot."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def load(cls, state_dir: Path) -> "AuditSealer":
        """With a key derived from the key-encryption key of this state folder.

        Raises:
            InputError: There is no usable key file.
        """
        derivation = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_PURPOSE)
        return cls(derivation.derive(read_key_encryption_key(state_dir)))

    def seal(self, facts: SealedFacts) -> str:
        """The seal in lower-case hex."""
        text = json.dumps(asdict(facts), sort_keys=True, ensure_ascii=False)
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def holds(self, facts: SealedFacts, seal: str) -> bool:
        """Whether the seal is the one of these facts."""
        return hmac.compare_digest(self.seal(facts), seal)
