"""Fleets of devices that are rows only."""

from tests.control.plane import Plane


def add_fleet(plane: Plane, devices: int) -> list[str]:
    """Publish the small app, and require it on this many devices that are online; their ids."""
    plane.publish()
    group_id = plane.group("desks")
    ids = plane.add_devices(group_id, [f"desk-{number}" for number in range(devices)])
    plane.assign("desks")
    return ids
