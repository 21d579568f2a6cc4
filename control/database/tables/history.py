"""Jobs of long ago, each as one document."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from control.database.tables.base import Base, Id, LongText


class ArchivedJob(Base):
    """A job that a newer one of its device and app replaced long ago.

    Attributes:
        replaced_at: When anything about it last changed; it was replaced then.
        document: The job, its phases and its reports, as JSON; see `control.history.document`.
    """

    __tablename__ = "archived_jobs"
    __table_args__ = (Index("ix_archived_jobs_replaced", "replaced_at", "id"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    device_id: Mapped[Id] = mapped_column(ForeignKey("devices.id"), index=True)
    replaced_at: Mapped[datetime]
    document: Mapped[LongText]
