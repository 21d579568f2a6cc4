"""What can be deployed: apps, their revisions, the packages and signed policies these consist of."""

from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from contract.states import Intent
from control.database.tables.base import Base, Count, Digest, Id, LongText, Name
from control.relation_mode import RelationMode


class App(Base):
    """A line of revisions under one name.

    Attributes:
        pinned_revision: The revision that is deployed instead of the newest.
    """

    __tablename__ = "apps"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name] = mapped_column(unique=True)
    pinned_revision: Mapped[int | None]
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
    """One package with one manifest; never changed once it is there.

    Attributes:
        copied_from: The older revision that was rolled back to: a device never goes back to a smaller number.
    """

    __tablename__ = "revisions"

    app_id: Mapped[Id] = mapped_column(ForeignKey("apps.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    package_digest: Mapped[Digest] = mapped_column(ForeignKey("packages.digest"))
    manifest: Mapped[LongText]
    max_run_time_seconds: Mapped[float]
    copied_from: Mapped[int | None]
    created_at: Mapped[datetime]

    app: Mapped[App] = relationship(lazy="raise")
    package: Mapped[Package] = relationship(lazy="raise")


class RelationRow(Base):
    """What a revision says about another app."""

    __tablename__ = "relations"
    __table_args__ = (ForeignKeyConstraint(["app_id", "revision"], ["revisions.app_id", "revisions.number"]),)

    app_id: Mapped[Id] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    related_app_id: Mapped[Id] = mapped_column(ForeignKey("apps.id"), primary_key=True, index=True)
    mode: Mapped[RelationMode]


class DeliverySettingsRow(Base):
    """How jobs are delivered that carry this digest: a `Delivery` as JSON."""

    __tablename__ = "delivery_settings"

    digest: Mapped[Digest] = mapped_column(primary_key=True)
    body: Mapped[LongText]


class PolicyRow(Base):
    """The signed policy of a revision for one intent and one way of delivery, as the bytes that devices get.

    Attributes:
        settings_digest: The way of delivery; empty for what the revision itself says.
        trusted_keys_version: The version of the trusted keys when it was signed; with a newer one it is signed anew.
    """

    __tablename__ = "policies"
    __table_args__ = (ForeignKeyConstraint(["app_id", "revision"], ["revisions.app_id", "revisions.number"]),)

    app_id: Mapped[Id] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    intent: Mapped[Intent] = mapped_column(primary_key=True, autoincrement=False)
    settings_digest: Mapped[Digest] = mapped_column(primary_key=True, default="")
    envelope: Mapped[bytes]
    digest: Mapped[Digest]
    trusted_keys_version: Mapped[int]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
