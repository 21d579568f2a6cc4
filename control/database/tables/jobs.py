"""Jobs and their history: what is under way, what is to be sent, what was reported."""

from datetime import UTC, datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, column, text
from sqlalchemy.orm import Mapped, mapped_column

from contract.jobs import JobState
from contract.phases import Phase
from contract.report import PhaseOutcome, WaitReason
from contract.states import EnforcementState, Intent, Outcome
from contract.uplink import GenerationReason, OrderKind
from control.cancel_reasons import CancelReason
from control.database.tables.base import Base, Count, Digest, Id, LongText, Name
from control.database.tables.job_place import HAS_MOVED
from control.live_states import LIVE_STATES

_IS_LIVE = column("state").in_([state.value for state in LIVE_STATES])


def _of_newest(name: str, *columns: str, unique: bool = False) -> Index:
    """An index of the newest jobs only: what has been replaced costs nobody who asks how things stand."""
    return Index(name, *columns, unique=unique, sqlite_where=text("is_newest = 1"), postgresql_where=text("is_newest"))


_TALLIED_ERROR = ("app_id", "tallied_as", "error_code", "device_id")
_HAS_ERROR = column("error_code").is_not(None)


def _now() -> datetime:
    return datetime.now(UTC)


class Job(Base):
    """One revision, one device, one intent.

    Attributes:
        settings_digest: How it is delivered; see `DeliverySettingsRow`.
        evaluates_only: Its device only looks; nothing is executed.
        for_app_id: The app that it is a dependency of, or that takes its app's place; None where it is assigned.
        waits_for_app_id: The app that must be there, or gone, before anything else of it happens.
        is_newest: It is the newest of its device and app; see `control.newest_jobs`.
        generation_reason: Why the generation was raised last.
        cancel_reason: Why it is being cancelled, or was.
        progress_sequence: The newest progress message of the current attempt.
        reported_attempt: The newest attempt of the current generation whose report is here; 0 for none.
        reported_sequence: The newest report of that attempt.
        phase_since: When the current phase was first heard of, by the control plane's clock.
        phase_ended: Its end was reported, and the next one's begin was not yet.
        advanced_at: When the job last got on: another phase, or more bytes.
        next_action_detail: The facts about what it waits for.
        last_sign_at: When it was last sent or last heard of.
        changed_at: When anything in this row last changed; whoever follows jobs goes by it.
        tallied_as: The place that it is counted in; see `JobTally`.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        ForeignKeyConstraint(["app_id", "revision"], ["revisions.app_id", "revisions.number"]),
        # Two chains for one device and app would race each other.
        Index("uq_jobs_live", "device_id", "app_id", unique=True, sqlite_where=_IS_LIVE, postgresql_where=_IS_LIVE),
        Index("ix_jobs_device_app_created", "device_id", "app_id", "created_at"),
        Index("ix_jobs_state", "state"),
        Index("ix_jobs_changed", "changed_at", "id"),
        _of_newest("uq_jobs_newest", "device_id", "app_id", unique=True),
        _of_newest("ix_jobs_newest_app", "app_id", "state", "outcome"),
        _of_newest("ix_jobs_newest_state", "state", "next_action_reason"),
        Index("ix_jobs_error", "error_code", "app_id", sqlite_where=_HAS_ERROR, postgresql_where=_HAS_ERROR),
        Index("ix_jobs_tallied_error", *_TALLIED_ERROR, sqlite_where=_HAS_ERROR, postgresql_where=_HAS_ERROR),
        # Those that wait for the archive.
        Index(
            "ix_jobs_replaced",
            "changed_at",
            "id",
            sqlite_where=text("is_newest = 0"),
            postgresql_where=text("NOT is_newest"),
        ),
        # Jobs leave it when they are counted, so it is about empty.
        Index("ix_jobs_moved", "id", sqlite_where=text(HAS_MOVED), postgresql_where=text(HAS_MOVED)),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    device_id: Mapped[Id] = mapped_column(ForeignKey("devices.id"))
    app_id: Mapped[Id]
    revision: Mapped[int]
    intent: Mapped[Intent]
    settings_digest: Mapped[Digest] = mapped_column(default="")
    evaluates_only: Mapped[bool] = mapped_column(default=False)
    for_app_id: Mapped[Id | None]
    waits_for_app_id: Mapped[Id | None]
    is_newest: Mapped[bool] = mapped_column(default=True)
    state: Mapped[JobState] = mapped_column(default=JobState.PLANNED)
    generation: Mapped[Count] = mapped_column(default=1)
    generation_reason: Mapped[GenerationReason] = mapped_column(default=GenerationReason.PLANNED)
    cancel_reason: Mapped[CancelReason | None]
    attempt: Mapped[Count] = mapped_column(default=1)
    progress_sequence: Mapped[Count] = mapped_column(default=0)
    reported_attempt: Mapped[Count] = mapped_column(default=0)
    reported_sequence: Mapped[Count] = mapped_column(default=0)
    phase: Mapped[Phase | None]
    phase_since: Mapped[datetime | None]
    phase_ended: Mapped[bool] = mapped_column(default=False)
    advanced_at: Mapped[datetime | None]
    bytes_done: Mapped[Count] = mapped_column(default=0)
    bytes_total: Mapped[Count] = mapped_column(default=0)
    outcome: Mapped[Outcome | None]
    enforcement_state: Mapped[EnforcementState | None]
    error_code: Mapped[Name | None]
    error_number: Mapped[Count | None]
    error_detail: Mapped[LongText] = mapped_column(default="")
    raw_exit_code: Mapped[Count | None]
    next_action_at: Mapped[datetime | None]
    next_action_reason: Mapped[WaitReason | None]
    next_action_detail: Mapped[LongText] = mapped_column(default="")
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    last_sign_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    changed_at: Mapped[datetime | None] = mapped_column(default=_now, onupdate=_now)
    tallied_as: Mapped[LongText] = mapped_column(default="")


class OutboxEntry(Base):
    """A chain that is to be sent, written in the transaction that decided it.

    Attributes:
        claimed_until: A dispatcher is sending it; after this another may.
    """

    __tablename__ = "outbox"

    job_id: Mapped[Id] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    generation: Mapped[Count] = mapped_column(primary_key=True, autoincrement=False)
    created_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]


Index(
    "ix_outbox_unsent",
    OutboxEntry.created_at,
    sqlite_where=column("sent_at").is_(None),
    postgresql_where=column("sent_at").is_(None),
)


class OrderRow(Base):
    """An operator's order about a job that its device has; it stands until the device has reported the job.

    Attributes:
        generation: The newest generation it concerns.
    """

    __tablename__ = "orders"

    job_id: Mapped[Id] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    device_id: Mapped[Id] = mapped_column(ForeignKey("devices.id"), index=True)
    generation: Mapped[Count]
    kind: Mapped[OrderKind]
    created_at: Mapped[datetime]


class AdmissionRow(Base):
    """How many jobs may be sent right now; one row, shared by all dispatchers.

    Attributes:
        tokens: Jobs that could be sent at `counted_at`.
    """

    __tablename__ = "admission"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tokens: Mapped[float]
    counted_at: Mapped[datetime]


class ReportRow(Base):
    """A report as it came; its key makes delivering it twice harmless.

    Attributes:
        error_code: What went wrong in this attempt, also after the job has been replaced.
        error_phase: Where.
    """

    __tablename__ = "reports"
    __table_args__ = (
        Index(
            "ix_reports_error",
            "job_id",
            sqlite_where=column("error_code").is_not(None),
            postgresql_where=column("error_code").is_not(None),
        ),
    )

    job_id: Mapped[Id] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    generation: Mapped[Count] = mapped_column(primary_key=True, autoincrement=False)
    attempt: Mapped[Count] = mapped_column(primary_key=True, autoincrement=False)
    sequence: Mapped[Count] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[LongText]
    error_code: Mapped[Name | None]
    error_number: Mapped[Count | None]
    error_phase: Mapped[Phase | None]
    received_at: Mapped[datetime]


class PhaseRow(Base):
    """One phase of one attempt, as the device timed it."""

    __tablename__ = "phase_records"

    job_id: Mapped[Id] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    generation: Mapped[Count] = mapped_column(primary_key=True, autoincrement=False)
    attempt: Mapped[Count] = mapped_column(primary_key=True, autoincrement=False)
    phase: Mapped[Phase] = mapped_column(primary_key=True)
    outcome: Mapped[PhaseOutcome]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    duration_seconds: Mapped[float]
    bytes_done: Mapped[Count]
    summary: Mapped[LongText]
