"""How far planning is."""

from sqlalchemy.orm import Mapped, mapped_column

from control.database.tables.base import Base, Digest, Id


class PlanningRow(Base):
    """What the fleet was planned for last; one row.

    Attributes:
        wanted: The digest of what was wanted then.
        looked_at_until: The device up to which the fleet has been looked over since, though nothing had changed.
    """

    __tablename__ = "planning"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    wanted: Mapped[Digest]
    looked_at_until: Mapped[Id]
