"""Who is there and what is wanted of them: devices, groups, assignments."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from contract.states import Intent
from control.database.tables.base import Base, Count, Digest, Id, LongText, Name
from control.shards.hashing import FIRST_SHARD
from control.targeting import Mode, TimeBasis


def _where_known(column: str) -> Index:
    """An index of the few devices that are on their way."""
    known = text(f"{column} IS NOT NULL")
    return Index(f"ix_devices_{column}", column, sqlite_where=known, postgresql_where=known)


class Device(Base):
    """An enrolled device with its public keys and what it last said of itself.

    Attributes:
        site: Where it stands, as operators say; filters may look at it.
        agent_started_at: When it last said that its agent had started.
        remembers_until: When the newest attempt that it has told of began, by its own clock.
        cut_off_at: When a retired device was shut out of the broker.
        refused_messages: How many messages of the broker it has refused, as far as it told.
        refused_messages_told: The count it told last; it begins anew with each start of its agent.
        broker_shard: The broker it listens at; what is sent to it goes there.
        next_shard: Where it is told to go; it is let in there already. None where it is to stay.
        left_shard: Where it was until `left_shard_at`; what still lies there is brought after it.
    """

    __tablename__ = "devices"
    __table_args__ = (
        Index("ix_devices_name", "name", "id"),
        Index("ix_devices_broker_shard", "broker_shard"),
        # SQLite looks up who is there without reading whole devices. PostgreSQL reads them quickly, and a device that
        # is seen would cost it a new entry in each index.
        Index("ix_devices_seen", "id", "last_seen_at", info={"dialect": "sqlite"}).ddl_if(dialect="sqlite"),
        _where_known("next_shard"),
        _where_known("left_shard"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name]
    site: Mapped[Name | None]
    signing_key: Mapped[bytes] = mapped_column(unique=True)
    sealing_key: Mapped[bytes]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    enrolled_with: Mapped[Digest]
    broker_secret_hash: Mapped[Digest] = mapped_column(default="")
    enrolled_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    agent_started_at: Mapped[datetime | None]
    remembers_until: Mapped[datetime | None]
    retired_at: Mapped[datetime | None] = mapped_column(index=True)
    cut_off_at: Mapped[datetime | None]
    refused_messages: Mapped[Count] = mapped_column(default=0)
    refused_messages_told: Mapped[Count] = mapped_column(default=0)
    broker_shard: Mapped[Name] = mapped_column(default=FIRST_SHARD)
    next_shard: Mapped[Name | None]
    left_shard: Mapped[Name | None]
    left_shard_at: Mapped[datetime | None]


class Group(Base):
    """A named set of devices.

    Attributes:
        rule: Its members are the devices that match it, kept up to date in `group_members`; None where operators choose
            the members.
    """

    __tablename__ = "groups"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name] = mapped_column(unique=True)
    rule: Mapped[LongText | None]
    created_at: Mapped[datetime]


class GroupMember(Base):
    """One device in one group.

    Attributes:
        is_tallied: Its jobs are counted in the group's tallies; see `control.tallies.members`.
    """

    __tablename__ = "group_members"
    __table_args__ = (
        Index(
            "ix_group_members_untallied",
            "group_id",
            "device_id",
            sqlite_where=text("is_tallied = 0"),
            postgresql_where=text("NOT is_tallied"),
        ),
    )

    group_id: Mapped[Id] = mapped_column(ForeignKey("groups.id"), primary_key=True)
    device_id: Mapped[Id] = mapped_column(ForeignKey("devices.id"), primary_key=True, index=True)
    added_at: Mapped[datetime]
    is_tallied: Mapped[bool] = mapped_column(default=False)


class Assignment(Base):
    """An intent for an app on a group; a group has one intent for an app, as in the original.

    Attributes:
        intent: What is wanted; `NOT_TARGETED` where the group is excluded.
        mode: Whether the group is meant, or left out whatever other groups say.
        filter_mode: Whether devices that the filter matches are meant or left out; None without a filter.
        start_at: Nothing of it happens earlier; None for at once.
        deadline_at: When the device is to be as wanted; None for as soon as possible.
        time_basis: With `LOCAL` both times are what the clock on the device's wall shows, kept as if that were UTC.
        settings: The fields of `DeliverySettings` that differ from what the revision says.
    """

    __tablename__ = "assignments"
    __table_args__ = (UniqueConstraint("app_id", "group_id"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    app_id: Mapped[Id] = mapped_column(ForeignKey("apps.id"))
    group_id: Mapped[Id] = mapped_column(ForeignKey("groups.id"), index=True)
    intent: Mapped[Intent]
    mode: Mapped[Mode] = mapped_column(default=Mode.INCLUDE)
    filter_id: Mapped[Id | None] = mapped_column(ForeignKey("filters.id"), index=True)
    filter_mode: Mapped[Mode | None]
    start_at: Mapped[datetime | None]
    deadline_at: Mapped[datetime | None]
    time_basis: Mapped[TimeBasis] = mapped_column(default=TimeBasis.UTC)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime]
