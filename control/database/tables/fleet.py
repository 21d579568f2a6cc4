"""Who is there and what is wanted of them: devices, groups, assignments."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from contract.states import Intent
from control.database.tables.base import Base, Count, Digest, Id, Name


class Device(Base):
    """An enrolled device with its public keys and what it last said of itself.

    Attributes:
        agent_started_at: When it last said that its agent had started.
        remembers_until: When the newest attempt that it has told of began, by its own clock.
        refused_messages: How many messages of the broker it has refused, as far as it told.
        refused_messages_told: The count it told last; it begins anew with each start of its agent.
    """

    __tablename__ = "devices"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name] = mapped_column(index=True)
    signing_key: Mapped[bytes] = mapped_column(unique=True)
    sealing_key: Mapped[bytes]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    enrolled_with: Mapped[Digest]
    broker_secret_hash: Mapped[Digest] = mapped_column(default="")
    enrolled_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    agent_started_at: Mapped[datetime | None]
    remembers_until: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]
    refused_messages: Mapped[Count] = mapped_column(default=0)
    refused_messages_told: Mapped[Count] = mapped_column(default=0)


class Group(Base):
    """A named set of devices."""

    __tablename__ = "groups"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class GroupMember(Base):
    """One device in one group."""

    __tablename__ = "group_members"

    group_id: Mapped[Id] = mapped_column(ForeignKey("groups.id"), primary_key=True)
    device_id: Mapped[Id] = mapped_column(ForeignKey("devices.id"), primary_key=True, index=True)
    added_at: Mapped[datetime]


class Assignment(Base):
    """An intent for an app on a group; a group has one intent for an app, as in the original."""

    __tablename__ = "assignments"
    __table_args__ = (UniqueConstraint("app_id", "group_id"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    app_id: Mapped[Id] = mapped_column(ForeignKey("apps.id"))
    group_id: Mapped[Id] = mapped_column(ForeignKey("groups.id"), index=True)
    intent: Mapped[Intent]
    created_at: Mapped[datetime]
