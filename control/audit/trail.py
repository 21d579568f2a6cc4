"""Write the audit log, in the transaction of the change, and check it."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from control.audit.seals import NO_SEAL, AuditSealer, SealedFacts
from control.database.session import lock_audit
from control.database.tables import AuditEntry
from control.security.operators import Actor

# The library that is silent where a program sets no logs up: commands print answers, not logs.
_log = logging.getLogger(__name__)

#: Entries held in memory at once while the log is checked.
_BATCH: Final = 1000


@dataclass(frozen=True)
class Verdict:
    """What checking the log found.

    Attributes:
        entries: How many there are.
        head: The newest entry's seal; kept elsewhere it shows later whether the log's end was cut off.
        broken_at: The first sequence number that is missing or not as it was written.
    """

    entries: int
    head: str
    broken_at: int | None


class AuditTrail:
    """The log."""

    def __init__(self, sealer: AuditSealer) -> None:
        self._sealer = sealer

    def record(
        self,
        session: Session,
        actor: Actor,
        action: str,
        target: str,
        *,
        now: datetime,
        before: Any = None,
        after: Any = None,
    ) -> None:
        """Add an entry; it is there if and only if the transaction is.

        Args:
            session: The transaction of the change.
            actor: Who did it.
            action: What, such as `group.create`.
            target: To what, by its name or id.
            now: The time.
            before: What was there, as JSON has it; never a secret.
            after: What is there now.
        """
        lock_audit(session)
        last = session.scalar(select(AuditEntry).order_by(AuditEntry.sequence.desc()).limit(1))
        entry = AuditEntry(
            sequence=1 if last is None else last.sequence + 1,
            at=now,
            actor=actor.signature,
            source=actor.source,
            action=action,
            target=target,
            before=json.dumps(before, sort_keys=True),
            after=json.dumps(after, sort_keys=True),
            previous_seal=NO_SEAL if last is None else last.seal,
        )
        entry.seal = self._sealer.seal(_facts(entry))
        session.add(entry)
        session.flush()
        # The program's own log anchors the end: cut off entries are still named there.
        _log.info("audit entry %d, seal %s: %s by %s", entry.sequence, entry.seal, action, entry.actor)

    def verify(self, session: Session) -> Verdict:
        """Check every entry and the chain between them."""
        expected, previous = 1, NO_SEAL
        for entry in _all(session):
            chained = entry.sequence == expected and entry.previous_seal == previous
            if not chained or not self._sealer.holds(_facts(entry), entry.seal):
                return Verdict(entries=expected - 1, head=previous, broken_at=expected)
            expected, previous = expected + 1, entry.seal
        return Verdict(entries=expected - 1, head=previous, broken_at=None)


def _all(session: Session) -> Iterator[AuditEntry]:
    yield from session.scalars(select(AuditEntry).order_by(AuditEntry.sequence).execution_options(yield_per=_BATCH))


def _facts(entry: AuditEntry) -> SealedFacts:
    return SealedFacts(
        sequence=entry.sequence,
        at=entry.at.isoformat(),
        actor=entry.actor,
        source=entry.source,
        action=entry.action,
        target=entry.target,
        before=entry.before,
        after=entry.after,
        previous_seal=entry.previous_seal,
    )
