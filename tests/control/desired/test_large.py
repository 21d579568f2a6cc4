"""A folder that describes a large fleet."""

import pytest

from control.database.tables import Assignment, Device, Group, GroupMember
from control.desired.canonical import State, state_of
from control.desired.documents import AppDocument, AssignmentDocument, Document, GroupDocument
from control.filters.evaluate import Facts
from control.filters.facts import facts_of
from tests.control.desired.applying import apply
from tests.control.plane import Plane, manifest_data

DEVICES, GROUPS, APPS, ASSIGNMENTS = 300, 200, 50, 500
IN_EACH = 20


@pytest.fixture
def devices(plane: Plane) -> list[str]:
    """Devices that have said how much memory they have; their names."""
    names = [f"desk-{number}" for number in range(DEVICES)]
    now = plane.clock.now()
    with plane.services.database.transaction() as session:
        for number, name in enumerate(names):
            facts = {"hostname": name, "memory_in_mb": number}
            keys = {"signing_key": number.to_bytes(32), "sealing_key": number.to_bytes(32)}
            row = Device(id=name, name=name, facts=facts, enrolled_with="", enrolled_at=now, last_seen_at=now, **keys)
            session.add(row)
    return names


def large(digest: str, devices: list[str]) -> State:
    documents: list[Document] = [
        GroupDocument(kind="Group", name=f"g{number}", rule=f"device.memoryInMB -ge {number}")
        if number % 2
        else GroupDocument(kind="Group", name=f"g{number}", members=tuple(devices[number : number + IN_EACH]))
        for number in range(GROUPS)
    ]
    documents += [
        AppDocument(kind="App", manifest=manifest_data(name=f"a{number}"), package=digest) for number in range(APPS)
    ]
    documents += [
        AssignmentDocument(kind="Assignment", app=f"a{number % APPS}", group=f"g{number // APPS + number % APPS * 3}")
        for number in range(ASSIGNMENTS)
    ]
    return state_of(documents)


@pytest.mark.timeout(300)
def test_all_of_it_is_there_and_each_device_is_looked_at_once(
    plane: Plane, devices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []

    def noted(device: Device) -> Facts:
        looked_at.append(device.id)
        return facts_of(device)

    monkeypatch.setattr("control.fleet.membership.facts_of", noted)
    state = large(plane.services.packages.take(plane.package).digest, devices)
    assert apply(plane, state) == GROUPS + APPS + ASSIGNMENTS
    assert sorted(looked_at) == sorted(devices)
    with plane.services.database.snapshot() as session:
        assert [session.query(table).count() for table in (Group, Assignment)] == [GROUPS, ASSIGNMENTS]
        chosen = GROUPS // 2 * IN_EACH
        ruled = sum(DEVICES - number for number in range(1, GROUPS, 2))
        assert session.query(GroupMember).count() == chosen + ruled
    assert apply(plane, state) == 0
