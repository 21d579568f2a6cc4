"""What operators changed; rows are added, never changed."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from control.database.tables.base import Base, Count, Digest, LongText, Name


class AuditEntry(Base):
    """One change.

    Attributes:
        actor: The name of the operator's token, and its id.
        source: The address it came from.
        action: What was done, such as `group.create`.
        target: To what.
        before: What was there, as JSON.
        after: What is there now, as JSON.
        previous_seal: The seal of the entry before this one.
        seal: Over everything else in this entry; see `control.security.audit_seals`.
    """

    __tablename__ = "audit_entries"

    sequence: Mapped[Count] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[Name]
    source: Mapped[Name]
    action: Mapped[Name]
    target: Mapped[LongText]
    before: Mapped[LongText]
    after: Mapped[LongText]
    previous_seal: Mapped[Digest]
    seal: Mapped[Digest]
