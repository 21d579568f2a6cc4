"""Find devices."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from control.database.tables import Device

_SHOWN_IDS = 5


def find_device(session: Session, name_or_id: str) -> Device:
    """The device with this id or name; names are the devices' own and need not be unique.

    Raises:
        NotFoundError: There is none, or several have the name.
    """
    wanted = or_(Device.id == name_or_id, Device.name == name_or_id)
    found = session.scalars(select(Device).where(wanted).order_by(Device.enrolled_at)).all()
    # A name passes from a retired device to the one that replaces it.
    devices = [device for device in found if device.retired_at is None or device.id == name_or_id] or found
    if not devices:
        raise NotFoundError(ErrorCode.UNKNOWN_DEVICE, place=name_or_id)
    if len(devices) > 1:
        ids = ", ".join(device.id for device in devices[:_SHOWN_IDS])
        detail = f"{len(devices)} devices have this name; give the id of one: {ids}"
        raise NotFoundError(ErrorCode.UNKNOWN_DEVICE, place=name_or_id, detail=detail)
    return devices[0]
