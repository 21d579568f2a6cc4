"""The root of trust: which keys may sign policies, said by the root keys, version by version.

A device pins the version it hears at enrolment and follows the chain from there, one version after the other: each is
signed by as many root keys as the version before it asks for, and by as many of its own. So root keys can be exchanged,
a key that was stolen can be revoked, and who owns the control plane's hosts but not the root keys can do neither. The
ideas are those of The Update Framework.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import Field, StringConstraints, model_validator

from contract.documents import Document, Fragment
from contract.envelopes import KEY_ID_PATTERN, SignedEnvelope, key_id_of, signers
from contract.error_codes import ErrorCode
from contract.errors import TrustError

KeyId = Annotated[str, StringConstraints(pattern=KEY_ID_PATTERN)]
#: Keys of one kind in one version.
_MAX_KEYS = 16
_RAW_KEY_BYTES = 32

PublicKey = Annotated[bytes, Field(min_length=_RAW_KEY_BYTES, max_length=_RAW_KEY_BYTES)]


class PolicyKey(Fragment):
    """A key that signs policies.

    Attributes:
        public_key: Raw Ed25519.
        not_after: From then on nothing it signed is good; set when another key takes its place.
    """

    public_key: PublicKey
    not_after: datetime | None = None


class TrustedKeys(Document):
    """Which keys a device trusts.

    Attributes:
        version: 1, 2, ...; a device never goes back to a smaller one and skips none.
        expires_at: From then on no policy is accepted until a newer version is known.
        policy_keys: By their ids.
        root_keys: Raw Ed25519 keys that sign this document and the next one, by their ids.
        threshold: So many root keys have to sign.
    """

    version: int = Field(ge=1)
    issued_at: datetime
    expires_at: datetime
    policy_keys: Mapping[KeyId, PolicyKey] = Field(max_length=_MAX_KEYS)
    root_keys: Mapping[KeyId, PublicKey] = Field(min_length=1, max_length=_MAX_KEYS)
    threshold: int = Field(ge=1)

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.threshold > len(self.root_keys):
            raise ValueError(f"threshold {self.threshold}, but {len(self.root_keys)} root keys")
        raw = {id_: key.public_key for id_, key in self.policy_keys.items()} | dict(self.root_keys)
        wrong = [key_id for key_id, key in raw.items() if key_id_of(key) != key_id]
        if wrong:
            raise ValueError(f"not the ids of their keys: {', '.join(wrong)}")
        return self

    @cached_property
    def roots(self) -> Mapping[str, Ed25519PublicKey]:
        """The root keys, ready to verify with."""
        return {key_id: Ed25519PublicKey.from_public_bytes(raw) for key_id, raw in self.root_keys.items()}

    def policy_verifiers(self, now: datetime) -> Mapping[str, Ed25519PublicKey]:
        """The keys that may have signed a policy that is good now."""
        return {
            key_id: Ed25519PublicKey.from_public_bytes(key.public_key)
            for key_id, key in self.policy_keys.items()
            if key.not_after is None or now < key.not_after
        }

    @property
    def signing_key_ids(self) -> tuple[str, ...]:
        """The keys that new policies are signed with: those whose end is not set."""
        return tuple(key_id for key_id, key in self.policy_keys.items() if key.not_after is None)


def first_trust(envelope: SignedEnvelope) -> TrustedKeys:
    """What a device that trusts nobody yet pins; it must be signed by its own root keys.

    Raises:
        TrustError: TRUSTED_KEYS_REFUSED: it is not.
        DocumentError: It is no such document.
    """
    trusted = TrustedKeys.from_json(envelope.payload)
    _require(envelope, trusted, f"version {trusted.version}")
    return trusted


def next_trust(current: TrustedKeys, envelope: SignedEnvelope) -> TrustedKeys:
    """The version after the current one; whether it has expired is asked when it is used, for another may follow.

    Raises:
        TrustError: TRUSTED_KEYS_REFUSED: it is not the next version, or too few root keys of either version signed it.
        DocumentError: The root keys signed what this side does not understand.
    """
    _require(envelope, current, f"after version {current.version}")
    following = TrustedKeys.from_json(envelope.payload)
    if following.version != current.version + 1:
        detail = f"version {following.version}, expected {current.version + 1}"
        raise TrustError(ErrorCode.TRUSTED_KEYS_REFUSED, detail=detail)
    _require(envelope, following, f"version {following.version}")
    return following


def follow(current: TrustedKeys, chain: Iterable[SignedEnvelope]) -> TrustedKeys:
    """The last version of a chain of versions after the current one.

    Raises:
        TrustError: See `next_trust`.
        DocumentError: See `next_trust`.
    """
    for envelope in chain:
        current = next_trust(current, envelope)
    return current


def missing_signatures(envelope: SignedEnvelope, trusted: TrustedKeys) -> int:
    """How many root keys of `trusted` are yet to sign the envelope."""
    return max(0, trusted.threshold - len(signers(envelope, TrustedKeys, trusted.roots)))


def _require(envelope: SignedEnvelope, trusted: TrustedKeys, what: str) -> None:
    missing = missing_signatures(envelope, trusted)
    if missing:
        found = trusted.threshold - missing
        detail = f"{what}: signed by {found} of its root keys, expected {trusted.threshold}"
        raise TrustError(ErrorCode.TRUSTED_KEYS_REFUSED, detail=detail)
