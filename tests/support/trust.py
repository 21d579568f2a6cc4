"""Trusted keys for tests: a root key, and the chain it signs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.envelopes import SignedEnvelope, key_id_of, sign
from contract.trusted_keys import PolicyKey, TrustedKeys

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
YEARS = timedelta(days=3650)


def public(key: Ed25519PrivateKey) -> bytes:
    """Its raw public key."""
    return key.public_key().public_bytes_raw()


def key_id(key: Ed25519PrivateKey) -> str:
    """Its id."""
    return key_id_of(public(key))


def by_id(*keys: Ed25519PrivateKey) -> dict[str, bytes]:
    """Raw public keys by their ids."""
    return {key_id(key): public(key) for key in keys}


def policy_keys(*keys: Ed25519PrivateKey, not_after: datetime | None = None) -> dict[str, PolicyKey]:
    """Policy keys by their ids."""
    return {key_id(key): PolicyKey(public_key=public(key), not_after=not_after) for key in keys}


@dataclass
class Roots:
    """Signs versions of the trusted keys with one root key; tests that want others say so."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def version(self, number: int, policy: Mapping[str, PolicyKey], **changes: Any) -> TrustedKeys:
        """A version that names these policy keys."""
        facts: dict[str, Any] = {
            "version": number,
            "issued_at": BEGAN,
            "expires_at": BEGAN + YEARS,
            "policy_keys": policy,
            "root_keys": by_id(self.key),
            "threshold": 1,
        }
        return TrustedKeys.model_validate(facts | changes)

    def signed(self, number: int, policy: Mapping[str, PolicyKey], **changes: Any) -> SignedEnvelope:
        """The same, signed."""
        return sign(self.version(number, policy, **changes), self.key)
