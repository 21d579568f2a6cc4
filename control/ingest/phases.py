"""Keep the phases of attempts, from progress and reports alike."""

from sqlalchemy.orm import Session

from contract.report import PhaseRecord
from control.database.tables import PhaseRow
from control.ingest.storable import storable_text


def store_phase(session: Session, job_id: str, generation: int, attempt: int, record: PhaseRecord) -> None:
    """Keep a phase's record; a later one of the same attempt and phase takes its place."""
    row = PhaseRow(
        job_id=job_id,
        generation=generation,
        attempt=attempt,
        phase=record.phase,
        outcome=record.outcome,
        started_at=record.started_at,
        ended_at=record.ended_at,
        duration_seconds=record.duration_seconds,
        bytes_done=record.bytes_done,
        summary=storable_text(record.summary),
    )
    session.merge(row)
