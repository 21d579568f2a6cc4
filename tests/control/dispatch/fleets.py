"""Fleets of devices that are rows only."""

from uuid import uuid4

from control.database.tables import Device, GroupMember
from tests.control.plane import FACTS, Plane


def add_fleet(plane: Plane, devices: int) -> list[str]:
    """Publish the small app, and require it on this many devices that are online; their ids."""
    plane.publish()
    group_id = plane.group("desks")
    now = plane.clock.now()
    ids = [str(uuid4()) for _ in range(devices)]
    with plane.services.database.transaction() as session:
        session.add_all(
            Device(
                id=device_id,
                name=f"desk-{number}",
                signing_key=uuid4().bytes,
                sealing_key=b"",
                facts=FACTS.model_dump(mode="json"),
                enrolled_with="",
                enrolled_at=now,
                last_seen_at=now,
            )
            for number, device_id in enumerate(ids)
        )
        session.flush()
        session.add_all(GroupMember(group_id=group_id, device_id=device_id, added_at=now) for device_id in ids)
    plane.assign("desks")
    return ids
