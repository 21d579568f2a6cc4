"""Rollouts: their rings, the devices in them, and what happened."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, column
from sqlalchemy.orm import Mapped, mapped_column

from control.database.tables.base import Base, Count, Digest, Id, LongText, Name
from control.database.types import WordColumn
from control.rollouts.states import ACTIVE_STATES, RolloutState

_IS_IN_IT = column("left_at").is_(None)
_IS_ACTIVE = column("state").in_([state.value for state in ACTIVE_STATES])


class Rollout(Base):
    """One revision on its way to the devices that its app is required on.

    Attributes:
        revision: What is rolled out.
        baseline: What devices have that it has not reached; None for nothing.
        rollback_revision: The baseline's content under a new number, once it is being rolled back.
        spec: Rings, gates, limits and windows, as a `RolloutSpec`.
        reason: Why it is in its state, in words.
        changed_at: When its state changed last.
        looked_at: When it was last looked whom it is for.
        seen_members: What was seen of that then; see `control.rollouts.attention`.
        seen_progress: What was seen of its devices when they were last counted.
        is_tallied: The jobs of its devices are counted in its tallies; see `control.tallies.rollout_jobs`.
    """

    __tablename__ = "rollouts"
    __table_args__ = (
        ForeignKeyConstraint(["app_id", "revision"], ["revisions.app_id", "revisions.number"]),
        # Two rollouts of one app would each hold the other's devices.
        Index("uq_rollouts_active", "app_id", unique=True, sqlite_where=_IS_ACTIVE, postgresql_where=_IS_ACTIVE),
        Index("ix_rollouts_created", "created_at", "id"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name] = mapped_column(unique=True)
    app_id: Mapped[Id] = mapped_column(ForeignKey("apps.id"))
    revision: Mapped[int]
    baseline: Mapped[int | None]
    rollback_revision: Mapped[int | None]
    spec: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[RolloutState] = mapped_column(WordColumn(RolloutState), default=RolloutState.DRAFT)
    reason: Mapped[LongText] = mapped_column(default="")
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    looked_at: Mapped[datetime | None]
    seen_members: Mapped[Digest] = mapped_column(default="")
    seen_progress: Mapped[Digest] = mapped_column(default="")
    is_tallied: Mapped[bool] = mapped_column(default=False)


class RolloutRing(Base):
    """How far one ring is.

    Attributes:
        number: 0, 1, ... in the order in which rings are opened.
        opened_at: Since then its devices are admitted.
        soak_since: When its success gate was first met.
        passed_at: When it had soaked, and the next one could be opened.
        accepted_failures: Failed devices that an operator has seen and resumed in spite of.
    """

    __tablename__ = "rollout_rings"

    rollout_id: Mapped[Id] = mapped_column(ForeignKey("rollouts.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    opened_at: Mapped[datetime | None]
    soak_since: Mapped[datetime | None]
    passed_at: Mapped[datetime | None]
    accepted_failures: Mapped[int] = mapped_column(default=0)


class RolloutDevice(Base):
    """A device in its one ring.

    Attributes:
        admitted_at: Since then it gets the revision; None while it is held.
        left_at: Since then the app is not required on it any more.
        done_revision: The revision that its newest job had brought it when that job was counted last; None where only
            the job can tell. See `control.tallies.rollouts`.
    """

    __tablename__ = "rollout_devices"
    __table_args__ = (
        # All that counting its devices looks at.
        Index(
            "ix_rollout_devices_standing",
            "rollout_id",
            "done_revision",
            "ring",
            "admitted_at",
            "device_id",
            sqlite_where=_IS_IN_IT,
            postgresql_where=_IS_IN_IT,
        ),
    )

    rollout_id: Mapped[Id] = mapped_column(ForeignKey("rollouts.id"), primary_key=True)
    device_id: Mapped[Id] = mapped_column(ForeignKey("devices.id"), primary_key=True, index=True)
    ring: Mapped[int]
    joined_at: Mapped[datetime]
    admitted_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    done_revision: Mapped[int | None]


class RolloutEvent(Base):
    """Something that happened to a rollout; rows are added, never changed.

    Attributes:
        sequence: 1, 2, ... within the rollout.
        actor: Who did it; `rollout` for what it did by itself.
        what: One word, such as `ring-opened`.
        detail: The figures behind it, in words.
    """

    __tablename__ = "rollout_events"

    rollout_id: Mapped[Id] = mapped_column(ForeignKey("rollouts.id"), primary_key=True)
    sequence: Mapped[Count] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[Name]
    what: Mapped[Name]
    detail: Mapped[LongText]
