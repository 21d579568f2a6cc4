"""Write the audit log, in the transaction of the change, and check it."""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from control.audit.seals import NO_SEAL, AuditSealer, SealedFacts
from control.database.session import lock_audit
from control.database.tables import AuditEntry
from control.security.operators import Actor

# The library that is silent where a program sets no logs up: commands print answers, not logs.
_log = logging.getLogger(__name__)

#: Entries held in memory at once while the log is checked.
_BATCH: Final = 1000
#: What the program's own log tells of an entry.
_LOGGED: Final = ("sequence", "seal", "action", "actor")

_LAST: Final = select(AuditEntry.sequence, AuditEntry.seal).order_by(AuditEntry.sequence.desc()).limit(1)


@dataclass(frozen=True)
class Change:
    """What an entry tells.

    Attributes:
        actor: Who did it.
        action: What, such as `group.create`.
        target: To what, by its name or id.
        before: What was there, as JSON has it; never a secret.
        after: What is there now.
    """

    actor: Actor
    action: str
    target: str
    before: Any = None
    after: Any = None


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
        self.record_all(session, [Change(actor, action, target, before, after)], now=now)

    def record_all(self, session: Session, changes: Sequence[Change], *, now: datetime) -> None:
        """Add an entry for each change, in their order; they are there if and only if the transaction is.

        Args:
            session: The transaction of the changes.
            changes: At least one.
            now: The time.
        """
        lock_audit(session)
        last = session.execute(_LAST).one_or_none()
        ended_with, seal = (0, NO_SEAL) if last is None else last
        rows = []
        for sequence, change in enumerate(changes, ended_with + 1):
            facts = _facts_of(change, sequence, now, previous_seal=seal)
            seal = self._sealer.seal(facts)
            rows.append({**asdict(facts), "at": now, "seal": seal})
        session.execute(insert(AuditEntry), rows)
        for row in rows:
            # The program's own log anchors the end: cut off entries are still named there.
            _log.info("audit entry %d, seal %s: %s by %s", *(row[name] for name in _LOGGED))

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


def _facts_of(change: Change, sequence: int, now: datetime, *, previous_seal: str) -> SealedFacts:
    return SealedFacts(
        sequence=sequence,
        at=now.isoformat(),
        actor=change.actor.signature,
        source=change.actor.source,
        action=change.action,
        target=change.target,
        before=json.dumps(change.before, sort_keys=True),
        after=json.dumps(change.after, sort_keys=True),
        previous_seal=previous_seal,
    )


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
