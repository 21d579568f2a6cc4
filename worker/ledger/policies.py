"""Signed policies by digest, and which job is for which app and intent."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from contract.envelopes import SignedEnvelope
from contract.policy import Policy
from contract.states import Intent
from worker.ledger.database import Database, Durability

#: Each phase of an attempt asks for its policy.
_POLICIES_AT_HAND = 16


@dataclass(frozen=True)
class Binding:
    """What a job was found to be for, once and for all, and the policy it was last processed with."""

    app_id: str
    revision: int
    intent: Intent
    policy_digest: str


class Policies:
    """The cache of policies."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # A digest stands for one policy for ever, so these cannot grow old.
        self._at_hand: dict[str, Policy] = {}

    def binding(self, job_id: str) -> Binding | None:
        """What a job is for; None until its first policy was accepted."""
        row = self._database.row("SELECT * FROM jobs WHERE job_id = ? AND policy_digest IS NOT NULL", (job_id,))
        return None if row is None else _binding(row)

    def envelope(self, digest: str) -> bytes | None:
        """The signed bytes with that digest; None where they are not kept."""
        row = self._database.row("SELECT envelope FROM policies WHERE digest = ?", (digest,))
        return None if row is None else row["envelope"]

    def policy(self, digest: str) -> Policy | None:
        """The policy with that digest, verified when it was accepted; None where it is not kept."""
        at_hand = self._at_hand.get(digest)
        if at_hand is not None:
            return at_hand
        raw = self.envelope(digest)
        return None if raw is None else self._hold(digest, Policy.from_json(SignedEnvelope.from_json(raw).payload))

    def newest_issued_at(self, policy: Policy) -> datetime | None:
        """When the newest policy was signed that was accepted for the same purpose as this one; None for none."""
        row = self._database.row(_ISSUED_AT, _purpose(policy))
        return None if row is None else datetime.fromisoformat(row["issued_at"])

    def accept(self, job_id: str, policy: Policy, *, digest: str, envelope: bytes, now: datetime) -> None:
        """Remember a verified policy, what its job is for, and the policy as the newest seen of the app."""
        with self._database.transaction(Durability.SOON) as connection:
            connection.execute(_RAISE_REVISION, (policy.app_id, policy.revision))
            connection.execute(_RAISE_ISSUED_AT, (*_purpose(policy), policy.issued_at.isoformat()))
            connection.execute(_DROP_OLDER_REVISIONS, (policy.app_id, policy.revision))
            connection.execute(_STORE, (digest, policy.app_id, envelope, now.isoformat()))
            connection.execute(
                "UPDATE jobs SET app_id = ?, revision = ?, intent = ?, policy_digest = ? WHERE job_id = ?",
                (policy.app_id, policy.revision, policy.intent, digest, job_id),
            )
            connection.execute(_DROP_UNUSED)
        self._hold(digest, policy)

    def prune(self) -> None:
        """Forget policies that no remembered job was processed with."""
        self._database.execute(_DROP_UNUSED)

    def _hold(self, digest: str, policy: Policy) -> Policy:
        self._at_hand[digest] = policy
        while len(self._at_hand) > _POLICIES_AT_HAND:
            del self._at_hand[next(iter(self._at_hand))]
        return policy


_RAISE_REVISION = """
INSERT INTO apps (app_id, highest_revision) VALUES (?, ?)
ON CONFLICT (app_id) DO UPDATE SET highest_revision = max(highest_revision, excluded.highest_revision)
"""

_ISSUED_AT = "SELECT issued_at FROM newest_policies WHERE (app_id, revision, intent, delivery) = (?, ?, ?, ?)"

_RAISE_ISSUED_AT = """
INSERT INTO newest_policies (app_id, revision, intent, delivery, issued_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (app_id, revision, intent, delivery) DO UPDATE SET issued_at = excluded.issued_at
"""

_DROP_OLDER_REVISIONS = "DELETE FROM newest_policies WHERE app_id = ? AND revision < ?"

_STORE = """
INSERT INTO policies (digest, app_id, envelope, stored_at) VALUES (?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING
"""

_DROP_UNUSED = "DELETE FROM policies WHERE digest NOT IN (SELECT policy_digest FROM jobs WHERE policy_digest NOT NULL)"


def _purpose(policy: Policy) -> tuple[str, int, Intent, str]:
    """What makes two policies the same but for their times."""
    return policy.app_id, policy.revision, policy.intent, policy.delivery.digest


def _binding(row: sqlite3.Row) -> Binding:
    return Binding(row["app_id"], row["revision"], Intent(row["intent"]), row["policy_digest"])
