"""The chain of trusted keys, as devices get it, and whom the broker may have forgotten."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from control.database.tables.base import Base, Id


class TrustedKeysRow(Base):
    """One version of `TrustedKeys` as it was signed; rows are added, never changed."""

    __tablename__ = "trusted_keys"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    envelope: Mapped[bytes]
    published_at: Mapped[datetime]


class UnsavedBrokerUser(Base):
    """A device whose broker user would not outlive a restart of the broker yet."""

    __tablename__ = "unsaved_broker_users"

    device_id: Mapped[Id] = mapped_column(ForeignKey("devices.id"), primary_key=True)
