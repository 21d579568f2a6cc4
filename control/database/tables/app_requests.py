"""What people at devices asked for."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from contract.available_apps import AppRequestKind
from control.database.tables.base import Base, Id


class AppRequestRow(Base):
    """What somebody at a device asked for last, of an app that is available there."""

    __tablename__ = "app_requests"

    device_id: Mapped[Id] = mapped_column(ForeignKey("devices.id"), primary_key=True)
    app_id: Mapped[Id] = mapped_column(ForeignKey("apps.id"), primary_key=True)
    kind: Mapped[AppRequestKind]
    requested_at: Mapped[datetime]
