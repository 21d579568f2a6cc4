"""What can be deployed: apps, their revisions, the packages and signed policies these consist of."""

from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from contract.states import Intent
from control.database.tables.base import Base, Count, Digest, Id, LongText, Name


class App(Base):
    """A line of revisions under one name."""

    __tablename__ = "apps"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class Package(Base):
    """An encrypted blob in the content store, addressed by its digest, and what opens it.

    The encryption key is here only wrapped by the key-encryption key, which is a file outside the database.
    """

    __tablename__ = "packages"

    digest: Mapped[Digest] = mapped_column(primary_key=True)
    size: Mapped[Count]
    plain_size: Mapped[Count]
    plain_digest: Mapped[bytes]
    mac: Mapped[bytes]
    mac_key: Mapped[bytes]
    initialization_vector: Mapped[bytes]
    wrapped_key: Mapped[bytes]
    name: Mapped[LongText]
    setup_file: Mapped[LongText]
    created_at: Mapped[datetime]


class Revision(Base):
    """One package with one manifest; never changed once it is there."""

    __tablename__ = "revisions"

    app_id: Mapped[Id] = mapped_column(ForeignKey("apps.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    package_digest: Mapped[Digest] = mapped_column(ForeignKey("packages.digest"))
    manifest: Mapped[LongText]
    max_run_time_seconds: Mapped[float]
    created_at: Mapped[datetime]

    app: Mapped[App] = relationship(lazy="raise")
    package: Mapped[Package] = relationship(lazy="raise")


class PolicyRow(Base):
    """The signed policy of a revision for one intent, as the bytes that devices get."""

    __tablename__ = "policies"
    __table_args__ = (ForeignKeyConstraint(["app_id", "revision"], ["revisions.app_id", "revisions.number"]),)

    app_id: Mapped[Id] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    intent: Mapped[Intent] = mapped_column(primary_key=True, autoincrement=False)
    envelope: Mapped[bytes]
    digest: Mapped[Digest]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
