"""Jobs, attempts and phases: the memory that makes a message that comes twice harmless."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from contract.jobs import JobRef
from contract.phases import Phase
from contract.report import PhaseRecord, Wait
from contract.states import Outcome
from worker.findings import Findings
from worker.ledger.database import Database, Durability
from worker.rules.admission import Standing


@dataclass(frozen=True)
class PhaseStart:
    """A phase that has just begun.

    Attributes:
        failures: How often in this attempt it could not go on because a part did not answer.
        starts: How often any phase of the attempt has begun, this time included.
        findings: What the attempt's earlier phases found.
    """

    failures: int
    starts: int
    findings: Findings


@dataclass(frozen=True)
class Running:
    """An attempt under way.

    Attributes:
        phase: The phase it has come to.
        wait: What that phase waits for; None while it runs.
    """

    ref: JobRef
    phase: Phase
    findings: Findings
    wait: Wait | None


@dataclass(frozen=True)
class PhaseEnd:
    """A phase that has ended.

    Attributes:
        hands_on_to: The phase it handed on to; None where the chain ended.
    """

    record: PhaseRecord
    hands_on_to: Phase | None


class Attempts:
    """What happened to which attempt."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def standing(self, phase: Phase, ref: JobRef) -> Standing:
        """All that decides whether a message is to be carried out."""
        row = self._database.row(_STANDING, (*_key(ref), phase.value))
        assert row is not None  # noqa: S101  a query without a table of its own
        return Standing(
            newest_generation=row["newest_generation"] or 0,
            newest_attempt=row["newest_attempt"] or 0,
            closed=bool(row["closed"]),
            begun=row["turn"] is not None,
            ended=bool(row["ended"]),
            handed_on=bool(row["handed_on"]),
            turn=row["turn"] or 0,
        )

    def begin(self, phase: Phase, ref: JobRef, *, now: datetime) -> PhaseStart | None:
        """Remember that a phase begins, and with it the job's generation.

        Returns:
            None where the attempt was closed, by another thread, since its message was let in.
        """
        with self._database.transaction(Durability.SOON) as connection:
            attempt = connection.execute(_OPEN, (*_key(ref), _NOTHING_FOUND, now.isoformat())).fetchall()
            if not attempt:
                return None
            connection.execute(_REMEMBER_GENERATION, (ref.job_id, ref.generation))
            (own,) = connection.execute(_BEGIN, (*_key(ref), phase.value)).fetchall()
        return PhaseStart(
            failures=own["failures"],
            starts=attempt[0]["starts"],
            findings=Findings.model_validate_json(attempt[0]["findings"]),
        )

    def defer(self, phase: Phase, ref: JobRef, wait: Wait, *, turn: int, failed: bool) -> None:
        """Remember that a phase waits, and which turn of it is to come.

        Args:
            phase: The phase.
            ref: The attempt.
            wait: Until when, and why.
            turn: The number the message carries that is to run the phase next.
            failed: A part did not answer; such waits grow.
        """
        self._database.execute(_DEFER, (wait.model_dump_json(), turn, int(failed), *_key(ref), phase.value))

    def wait(self, phase: Phase, ref: JobRef) -> Wait | None:
        """What a phase waits for; None where it does not."""
        row = self._phase_row(phase, ref)
        return None if row is None or row["wait"] is None else Wait.model_validate_json(row["wait"])

    def close_waiting(self, job_id: str, generation: int, *, now: datetime) -> tuple[JobRef, Findings] | None:
        """Close the attempt of a job that waits, in the middle of a phase or before its first one.

        Args:
            job_id: The job.
            generation: The newest generation it is about.
            now: The time.

        Returns:
            The attempt and what was found before; None where nothing of the job waits.
        """
        with self._database.transaction() as connection:
            row = connection.execute(_NEWEST_ATTEMPT, (job_id,)).fetchone()
            if row is None or row["generation"] > generation:
                return None
            ref, findings = _ref(row), Findings.model_validate_json(row["findings"])
            if row["closed_at"] is None:
                if connection.execute(_WAITING_PHASE, _key(ref)).fetchone() is None:
                    return None
            elif findings.next_action is None:
                return None
            else:
                ref = ref.next_attempt()
            cancelled = findings.model_copy(update={"outcome": Outcome.CANCELLED, "next_action": None})
            connection.execute(_CLOSE, (*_key(ref), cancelled.model_dump_json(), now.isoformat(), now.isoformat()))
        return ref, findings

    def end(self, ref: JobRef, end: PhaseEnd, findings: Findings, *, closes: bool) -> None:
        """Remember a phase's result and the attempt's findings together."""
        record = end.record
        with self._database.transaction() as connection:
            connection.execute(
                _END,
                (record.model_dump_json(), end.hands_on_to, *_key(ref), record.phase.value),
            )
            connection.execute(
                "UPDATE attempts SET findings = ?, closed_at = ? WHERE (job_id, generation, attempt) = (?, ?, ?)",
                (findings.model_dump_json(), record.ended_at.isoformat() if closes else None, *_key(ref)),
            )

    def ended(self, phase: Phase, ref: JobRef) -> PhaseEnd | None:
        """The result of a phase; None unless it has ended."""
        row = self._phase_row(phase, ref)
        return None if row is None or row["record"] is None else _phase_end(row)

    def has_begun(self, phase: Phase, ref: JobRef) -> bool:
        """Whether a phase was seen at all."""
        return self._phase_row(phase, ref) is not None

    def records(self, ref: JobRef) -> tuple[PhaseRecord, ...]:
        """The records of all phases of the attempt that have ended, in order."""
        rows = self._database.rows(
            "SELECT * FROM phases WHERE (job_id, generation, attempt) = (?, ?, ?) AND record IS NOT NULL", _key(ref)
        )
        records = (_phase_end(row).record for row in rows)
        return tuple(sorted(records, key=lambda record: record.phase.position))

    def findings(self, ref: JobRef) -> Findings | None:
        """What the attempt found out; None where it is unknown."""
        row = self._database.row(
            "SELECT findings FROM attempts WHERE (job_id, generation, attempt) = (?, ?, ?)", _key(ref)
        )
        return None if row is None else Findings.model_validate_json(row["findings"])

    def opened_at(self, ref: JobRef) -> datetime | None:
        """When the attempt began; None where it is unknown."""
        row = self._database.row(
            "SELECT opened_at FROM attempts WHERE (job_id, generation, attempt) = (?, ?, ?)", _key(ref)
        )
        return None if row is None else datetime.fromisoformat(row["opened_at"])

    def newest_opened_at(self) -> datetime | None:
        """When the newest attempt began; None where none is remembered."""
        row = self._database.row("SELECT max(opened_at) AS newest FROM attempts", ())
        return None if row is None or row["newest"] is None else datetime.fromisoformat(row["newest"])

    def running(self) -> list[Running]:
        """The attempts that are under way, each with the phase it has come to."""
        rows = self._database.rows(_RUNNING)
        latest = {_ref(row): row for row in sorted(rows, key=lambda row: Phase(row["phase"]).position)}
        return [_running(ref, row) for ref, row in latest.items()]

    def prune(self, before: datetime) -> None:
        """Forget attempts opened before then that have ended or are void, but for the newest.

        A job goes with its last attempt. Should one of its messages still come, the control plane is asked before
        anything is done.
        """
        with self._database.transaction() as connection:
            connection.execute(_PRUNE_ATTEMPTS, (before.isoformat(),))
            connection.execute(_PRUNE_PHASES)
            connection.execute(_PRUNE_INSTALLS)
            connection.execute(_PRUNE_JOBS)

    def _phase_row(self, phase: Phase, ref: JobRef) -> sqlite3.Row | None:
        return self._database.row(
            "SELECT * FROM phases WHERE (job_id, generation, attempt) = (?, ?, ?) AND phase = ?",
            (*_key(ref), phase.value),
        )


_NOTHING_FOUND = Findings().model_dump_json()

#: ?1 to ?3 are the attempt's key, ?4 the phase.
_STANDING = """
SELECT
  (SELECT newest_generation FROM jobs WHERE job_id = ?1) AS newest_generation,
  (SELECT max(attempt) FROM attempts WHERE job_id = ?1 AND generation = ?2) AS newest_attempt,
  (SELECT closed_at IS NOT NULL FROM attempts WHERE (job_id, generation, attempt) = (?1, ?2, ?3)) AS closed,
  (SELECT turn FROM phases WHERE (job_id, generation, attempt) = (?1, ?2, ?3) AND phase = ?4) AS turn,
  EXISTS (
    SELECT 1 FROM phases WHERE (job_id, generation, attempt) = (?1, ?2, ?3) AND phase = ?4 AND record IS NOT NULL
  ) AS ended,
  EXISTS (
    SELECT 1 FROM phases WHERE (job_id, generation, attempt) = (?1, ?2, ?3) AND hands_on_to = ?4
  ) AS handed_on
"""

_REMEMBER_GENERATION = """
INSERT INTO jobs (job_id, newest_generation) VALUES (?, ?)
ON CONFLICT (job_id) DO UPDATE SET newest_generation = max(newest_generation, excluded.newest_generation)
"""

_OPEN = """
INSERT INTO attempts (job_id, generation, attempt, starts, findings, opened_at) VALUES (?, ?, ?, 1, ?, ?)
ON CONFLICT (job_id, generation, attempt) DO UPDATE SET starts = starts + 1 WHERE closed_at IS NULL
RETURNING starts, findings
"""

_BEGIN = """
INSERT INTO phases (job_id, generation, attempt, phase) VALUES (?, ?, ?, ?)
ON CONFLICT (job_id, generation, attempt, phase) DO UPDATE SET wait = NULL
RETURNING failures
"""

_DEFER = """
UPDATE phases SET wait = ?, turn = ?, failures = failures + ?
WHERE (job_id, generation, attempt) = (?, ?, ?) AND phase = ?
"""

_END = """
UPDATE phases SET record = ?, hands_on_to = ? WHERE (job_id, generation, attempt) = (?, ?, ?) AND phase = ?
"""

_NEWEST_ATTEMPT = """
SELECT a.* FROM attempts a JOIN jobs j ON j.job_id = a.job_id AND j.newest_generation = a.generation
WHERE a.job_id = ? ORDER BY attempt DESC LIMIT 1
"""

_WAITING_PHASE = """
SELECT 1 FROM phases
WHERE (job_id, generation, attempt) = (?, ?, ?) AND wait IS NOT NULL AND record IS NULL
"""

_CLOSE = """
INSERT INTO attempts (job_id, generation, attempt, findings, opened_at, closed_at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (job_id, generation, attempt) DO UPDATE SET findings = excluded.findings, closed_at = excluded.closed_at
"""

_PRUNE_ATTEMPTS = """
DELETE FROM attempts WHERE opened_at < ? AND opened_at < (SELECT max(opened_at) FROM attempts) AND (
  closed_at IS NOT NULL
  OR EXISTS (
    SELECT 1 FROM attempts newer WHERE newer.job_id = attempts.job_id
    AND (newer.generation, newer.attempt) > (attempts.generation, attempts.attempt)
  )
)
"""

_PRUNE_PHASES = """
DELETE FROM phases WHERE (job_id, generation, attempt) NOT IN (SELECT job_id, generation, attempt FROM attempts)
"""

_PRUNE_INSTALLS = """
DELETE FROM installs WHERE (job_id, generation, attempt) NOT IN (SELECT job_id, generation, attempt FROM attempts)
"""

_PRUNE_JOBS = "DELETE FROM jobs WHERE job_id NOT IN (SELECT job_id FROM attempts)"

_RUNNING = """
SELECT a.job_id, a.generation, a.attempt, a.findings, p.phase, p.wait
FROM attempts a JOIN phases p USING (job_id, generation, attempt) JOIN jobs j USING (job_id)
WHERE a.closed_at IS NULL AND a.generation = j.newest_generation
"""


def _key(ref: JobRef) -> tuple[str, int, int]:
    return ref.job_id, ref.generation, ref.attempt


def _ref(row: sqlite3.Row) -> JobRef:
    return JobRef(job_id=row["job_id"], generation=row["generation"], attempt=row["attempt"])


def _running(ref: JobRef, row: sqlite3.Row) -> Running:
    wait = None if row["wait"] is None else Wait.model_validate_json(row["wait"])
    return Running(ref, Phase(row["phase"]), Findings.model_validate_json(row["findings"]), wait)


def _phase_end(row: sqlite3.Row) -> PhaseEnd:
    follower = row["hands_on_to"]
    return PhaseEnd(PhaseRecord.model_validate_json(row["record"]), None if follower is None else Phase(follower))
