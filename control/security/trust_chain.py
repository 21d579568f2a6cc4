"""The chain of trusted keys in the database: what devices are told to trust."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from contract.envelopes import SignedEnvelope
from contract.error_codes import ErrorCode
from contract.errors import UnavailableError
from contract.trusted_keys import TrustedKeys, first_trust, next_trust
from contract.uplink import MAX_TRUSTED_KEYS_VERSIONS
from control.database.tables import TrustedKeysRow

_NEWEST_VERSION: Final = select(func.max(TrustedKeysRow.__table__.c.version))


class TrustChain:
    """Reads the chain, and adds to its end what the root keys signed."""

    def __init__(self) -> None:
        self._last: TrustedKeys | None = None

    def version(self, session: Session) -> int:
        """The newest version; 0 where there is none."""
        return session.scalar(_NEWEST_VERSION) or 0

    def newest(self, session: Session) -> TrustedKeys:
        """What devices are to trust.

        Raises:
            UnavailableError: NO_TRUSTED_KEYS.
        """
        version = self.version(session)
        if self._last is None or self._last.version != version:
            self._last = TrustedKeys.from_json(self.envelope(session).payload)
        return self._last

    def envelope(self, session: Session) -> SignedEnvelope:
        """The newest version as it was signed.

        Raises:
            UnavailableError: NO_TRUSTED_KEYS.
        """
        row = session.get(TrustedKeysRow, self.version(session))
        if row is None:
            raise UnavailableError(ErrorCode.NO_TRUSTED_KEYS)
        return SignedEnvelope.from_json(row.envelope)

    def after(self, session: Session, version: int) -> Sequence[SignedEnvelope]:
        """The versions that follow, oldest first; the first ones, where there are many."""
        rows = (
            select(TrustedKeysRow.envelope)
            .where(TrustedKeysRow.version > version)
            .order_by(TrustedKeysRow.version)
            .limit(MAX_TRUSTED_KEYS_VERSIONS)
        )
        return [SignedEnvelope.from_json(envelope) for envelope in session.scalars(rows)]

    def add(self, session: Session, envelope: SignedEnvelope, now: datetime) -> TrustedKeys:
        """Publish a version, by the same rule that devices accept it by.

        Raises:
            TrustError: TRUSTED_KEYS_REFUSED: it is not the next one, or not signed by the root keys.
            DocumentError: It is no such document.
        """
        begun = self.version(session)
        trusted = next_trust(self.newest(session), envelope) if begun else first_trust(envelope)
        session.add(TrustedKeysRow(version=trusted.version, envelope=envelope.to_json().encode(), published_at=now))
        session.flush()
        return trusted
