"""What is remembered of operators' requests, and counters."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from control.database.tables.base import Base, Count, Digest, Id, Name


class KeptAnswer(Base):
    """The answer to a request with an idempotency key, for whoever sends the same request again.

    Attributes:
        key_digest: Of the operator's token and the key they chose.
        request_digest: Of everything the request asks for: the same key with another request is a mistake.
        sealed: The answer, readable only with the token and the key; None while the request is being carried out.
    """

    __tablename__ = "kept_answers"

    key_digest: Mapped[Digest] = mapped_column(primary_key=True)
    request_digest: Mapped[Digest]
    sealed: Mapped[bytes | None]
    begun_at: Mapped[datetime] = mapped_column(index=True)


class CallRow(Base):
    """A device that an operator wants to check in now, until it has been called."""

    __tablename__ = "calls"

    device_id: Mapped[Id] = mapped_column(ForeignKey("devices.id"), primary_key=True)
    asked_at: Mapped[datetime]


class CounterRow(Base):
    """A counter that outlives processes; see `control.counters`."""

    __tablename__ = "counters"

    name: Mapped[Name] = mapped_column(primary_key=True)
    value: Mapped[Count]
