"""The facts of a device as rules see them."""

from control.database.tables import Device
from control.filters.evaluate import Facts
from control.filters.properties import Property


def facts_of(device: Device) -> Facts:
    """What a device says of itself, and what operators say of it."""
    said = {**device.facts, "id": device.id, "name": device.name, "site": device.site}
    return {each: _text(said.get(each.fact)) for each in Property}


def _text(value: object) -> str | None:
    """Trimmed, and None where nothing is left."""
    return None if value is None else str(value).strip() or None
