"""Change the trusted keys: drafted, signed by the root keys at hand, published once enough of them have signed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from contract.clock import Clock
from contract.envelopes import SignedEnvelope, countersigned, draft
from contract.trusted_keys import TrustedKeys, missing_signatures
from control.audit.trail import AuditTrail
from control.database.session import Database, lock_audit
from control.roles import Role
from control.security.operators import on_this_machine
from control.security.trust_chain import TrustChain

#: From the current version to the next one.
Change = Callable[[TrustedKeys], TrustedKeys]


@dataclass(frozen=True)
class Changed:
    """What came of a change.

    Attributes:
        trusted: The version.
        envelope: The version with the signatures it has.
        missing: Signatures of root keys it still needs; 0 where it is published.
    """

    trusted: TrustedKeys
    envelope: SignedEnvelope
    missing: int


@dataclass(frozen=True)
class KeyOffice:
    """Where the trusted keys of a control plane are changed."""

    database: Database
    chain: TrustChain
    audit: AuditTrail
    clock: Clock

    def begin(self, first: Callable[[], tuple[TrustedKeys, Ed25519PrivateKey]]) -> TrustedKeys | None:
        """Publish the first version unless there is one.

        Args:
            first: Makes it, and the root key that signs it; called only where they are needed.

        Returns:
            The first version; None where there are trusted keys already.
        """
        with self.database.transaction() as session:
            lock_audit(session)
            if self.chain.version(session):
                return None
            trusted, root = first()
            return self._add(session, countersigned(draft(trusted), TrustedKeys, root), None)

    def change(self, change: Change, roots: Sequence[Ed25519PrivateKey]) -> Changed:
        """Draft the next version, sign it with the root keys at hand, and publish it where these are enough.

        Raises:
            UnavailableError: NO_TRUSTED_KEYS.
            InputError: KEY_CHANGE_INVALID: the change makes no sense.
        """
        with self.database.transaction() as session:
            lock_audit(session)
            current = self.chain.newest(session)
            trusted = change(current)
            envelope = signed_by(draft(trusted), roots)
            missing = missing_of(envelope, current, trusted)
            if not missing:
                self._add(session, envelope, current)
        return Changed(trusted, envelope, missing)

    def publish(self, envelope: SignedEnvelope) -> TrustedKeys:
        """Publish a version that was signed elsewhere.

        Raises:
            TrustError: TRUSTED_KEYS_REFUSED: it is not the next one, or too few root keys signed it.
            DocumentError: It is no list of trusted keys.
            UnavailableError: NO_TRUSTED_KEYS.
        """
        with self.database.transaction() as session:
            lock_audit(session)
            return self._add(session, envelope, self.chain.newest(session))

    def _add(self, session: Session, envelope: SignedEnvelope, before: TrustedKeys | None) -> TrustedKeys:
        now = self.clock.now()
        trusted = self.chain.add(session, envelope, now)
        target, operator = f"version {trusted.version}", on_this_machine(Role.ADMIN)
        told = {"before": None if before is None else _told(before), "after": _told(trusted)}
        self.audit.record(session, operator, "keys.publish", target, now=now, **told)
        return trusted


def signed_by(envelope: SignedEnvelope, roots: Sequence[Ed25519PrivateKey]) -> SignedEnvelope:
    """The draft with the signatures of these root keys."""
    for root in roots:
        envelope = countersigned(envelope, TrustedKeys, root)
    return envelope


def missing_of(envelope: SignedEnvelope, current: TrustedKeys, trusted: TrustedKeys) -> int:
    """How many signatures a draft still needs: of the root keys before it, and of its own."""
    return max(missing_signatures(envelope, current), missing_signatures(envelope, trusted))


def root_key_file(state_dir: Path) -> Path:
    """Where `outrider-control init` puts the root key it makes; production takes the file elsewhere."""
    return state_dir / "root.key"


def _told(trusted: TrustedKeys) -> dict[str, object]:
    return {
        "version": trusted.version,
        "expires_at": trusted.expires_at.isoformat(),
        "policy_keys": sorted(trusted.policy_keys),
        "root_keys": sorted(trusted.root_keys),
        "threshold": trusted.threshold,
    }
