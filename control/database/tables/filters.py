"""Named rules over the facts of devices."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from control.database.tables.base import Base, Id, LongText, Name


class Filter(Base):
    """A rule under a name; assignments refer to it.

    Attributes:
        rule: As `control.filters.parse` reads it.
    """

    __tablename__ = "filters"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name] = mapped_column(unique=True)
    rule: Mapped[LongText]
    created_at: Mapped[datetime]
