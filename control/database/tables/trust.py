"""The chain of trusted keys, as devices get it."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from control.database.tables.base import Base


class TrustedKeysRow(Base):
    """One version of `TrustedKeys` as it was signed; rows are added, never changed."""

    __tablename__ = "trusted_keys"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    envelope: Mapped[bytes]
    published_at: Mapped[datetime]
