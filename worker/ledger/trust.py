"""The newest version of the trusted keys that was accepted."""

from contract.envelopes import SignedEnvelope
from worker.ledger.database import Database


class TrustTable:
    """One row; it is never replaced by an older version."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self) -> SignedEnvelope | None:
        """The version as it was signed; None where none was accepted since enrolment."""
        row = self._database.row("SELECT envelope FROM trusted_keys")
        return None if row is None else SignedEnvelope.from_json(row["envelope"])

    def put(self, version: int, envelope: SignedEnvelope) -> None:
        """Remember a version that was verified."""
        self._database.execute(_PUT, (version, envelope.to_json()))


_PUT = """
INSERT INTO trusted_keys (id, version, envelope) VALUES (1, ?, ?)
ON CONFLICT (id) DO UPDATE SET version = excluded.version, envelope = excluded.envelope
WHERE excluded.version > trusted_keys.version
"""
