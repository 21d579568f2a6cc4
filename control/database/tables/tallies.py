"""How many of the newest jobs are in each place."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from contract.jobs import JobState
from contract.phases import Phase
from contract.report import WaitReason
from contract.states import Outcome
from control.database.tables.base import Base, Count, Id, LongText, Name


class JobTally(Base):
    """Jobs of one app that are in the same place; see `control.tallies`.

    Attributes:
        place: All that follows but the number, in one text, as `Job.tallied_as` has it.
        phase: Where the error was; None without an error.
        jobs: How many have been counted here.
    """

    __tablename__ = "job_tallies"

    app_id: Mapped[Id] = mapped_column(ForeignKey("apps.id"), primary_key=True)
    place: Mapped[LongText] = mapped_column(primary_key=True)
    state: Mapped[JobState]
    outcome: Mapped[Outcome | None]
    next_action_reason: Mapped[WaitReason | None]
    phase: Mapped[Phase | None]
    error_number: Mapped[Count | None]
    error_code: Mapped[Name | None]
    jobs: Mapped[Count]


class GroupTally(Base):
    """Jobs of one app in the same place on the devices of one group; what the place is says `JobTally`."""

    __tablename__ = "group_tallies"

    group_id: Mapped[Id] = mapped_column(ForeignKey("groups.id"), primary_key=True)
    app_id: Mapped[Id] = mapped_column(ForeignKey("apps.id"), primary_key=True)
    place: Mapped[LongText] = mapped_column(primary_key=True)
    jobs: Mapped[Count]


class RolloutTally(Base):
    """Jobs of a rollout's app in the same place on the devices in it; what the place is says `JobTally`."""

    __tablename__ = "rollout_tallies"

    rollout_id: Mapped[Id] = mapped_column(ForeignKey("rollouts.id"), primary_key=True)
    app_id: Mapped[Id] = mapped_column(ForeignKey("apps.id"), primary_key=True)
    place: Mapped[LongText] = mapped_column(primary_key=True)
    jobs: Mapped[Count]
