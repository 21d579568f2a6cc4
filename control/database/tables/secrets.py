"""Secrets that installers are given: wrapped, and which revisions ask for them."""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from control.database.tables.base import Base, Id, Name


class Secret(Base):
    """A secret's newest value, wrapped for its name and version; older values are gone.

    Attributes:
        version: 1, 2, ...; raised whenever it is set.
        wrapped: The value under a key that the database never sees.
    """

    __tablename__ = "secrets"

    name: Mapped[Name] = mapped_column(primary_key=True)
    version: Mapped[int]
    wrapped: Mapped[bytes]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class RevisionSecret(Base):
    """A revision asks for a secret; the secret may be gone."""

    __tablename__ = "revision_secrets"
    __table_args__ = (ForeignKeyConstraint(["app_id", "revision"], ["revisions.app_id", "revisions.number"]),)

    app_id: Mapped[Id] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    secret: Mapped[Name] = mapped_column(primary_key=True, index=True)
