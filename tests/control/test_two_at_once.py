"""Two who do the same at once, on PostgreSQL: both succeed, or the second hears what it hears when it comes later."""

from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import OutriderError, TrustError
from contract.states import Intent
from contract.uplink import KEYS_PATH, KeyRotation, rotation_message
from control.catalog.assignments import assign, unassign
from control.database.tables import AuditEntry, CallRow, Device, Group, GroupMember, KeptAnswer, Package, Role
from control.filters.stored import add_filter, delete_filter
from control.fleet.groups import add_member, create_group, delete_group, find_group
from control.fleet.key_rotation import rotate_keys
from control.fleet.membership import set_rule
from control.fleet.retirement import retire
from control.idempotency.keeping import begin, keep
from control.idempotency.keyed_request import Answer, KeyedRequest
from control.secrets.keeping import delete_secret
from control.steering.calls import ask_for_calls
from tests.control.plane import Plane, SignedDevice
from tests.control.two_writers import overtake

pytestmark = pytest.mark.integration

Write = Callable[[Session], object]


@pytest.fixture
def plane(postgresql_plane: Plane) -> Plane:
    return postgresql_plane


@pytest.fixture
def admin(client: httpx.Client, operator: Callable[[Role], dict[str, str]]) -> httpx.Client:
    client.headers.update(operator(Role.ADMIN))
    return client


@pytest.fixture
def desks(plane: Plane) -> str:
    """The id of a group with one device."""
    group_id = plane.group("desks")
    plane.add_devices(group_id, ["desk-1"])
    return group_id


def count(plane: Plane, table: type[CallRow | Device | GroupMember | Package]) -> int:
    with plane.services.database.snapshot() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def actions(plane: Plane) -> list[str]:
    with plane.services.database.snapshot() as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.sequence)))


def both(plane: Plane, write: Write, again: Write | None = None) -> None:
    """Have both written at once, each in a transaction of its own."""

    def second() -> None:
        with plane.services.database.transaction() as session:
            (again or write)(session)

    overtake(plane.services.database, write, second)


def refused(plane: Plane, write: Write, again: Write | None = None) -> ErrorCode:
    """Why the second one is refused."""
    with pytest.raises(OutriderError) as caught:
        both(plane, write, again)
    return caught.value.code


def test_a_device_that_two_operators_have_called_is_called_once(plane: Plane, desks: str) -> None:
    def ask(session: Session) -> None:
        ask_for_calls(session, session.scalars(select(Device)).all(), plane.clock.now())

    both(plane, ask)
    assert count(plane, CallRow) == 1


def test_a_device_that_two_operators_put_into_a_group_is_in_it(plane: Plane, desks: str) -> None:
    other = plane.group("others")

    def put(session: Session) -> None:
        add_member(session, other, session.scalars(select(Device.id)).one(), plane.clock.now())

    both(plane, put)
    assert count(plane, GroupMember) == 2


def test_a_package_that_two_operators_upload_is_new_to_one_of_them(plane: Plane) -> None:
    noted: list[str] = []
    packages = plane.services.packages

    def note(_session: Session, package: Package) -> None:
        noted.append(package.digest)

    taken = packages.take(plane.package, note)
    with plane.services.database.transaction() as session:
        session.execute(delete(Package))
    row = {column.key: getattr(taken, column.key) for column in Package.__table__.columns}
    overtake(
        plane.services.database, lambda session: session.add(Package(**row)), lambda: packages.take(plane.package, note)
    )
    assert (noted, count(plane, Package)) == ([taken.digest], 1)


@pytest.mark.parametrize("uses", [1, 2])
def test_a_machine_that_enrols_twice_at_once_is_one_device_and_gets_two_answers(
    plane: Plane, client: httpx.Client, uses: int
) -> None:
    token, device = plane.token(uses=uses), SignedDevice(client)
    services, now = plane.services, plane.clock.now()
    replies = []

    def enrol(session: Session) -> None:
        replies.append(services.enrollment.enroll(session, device.enrollment(token), now, "here"))

    answer = overtake(services.database, enrol, lambda: device.enroll(token))
    assert (answer.status_code, device.device_id, count(plane, Device)) == (200, replies[0].device_id, 1)
    assert actions(plane)[-2:] == ["device.enroll"] * 2


def test_a_machine_that_enrols_with_two_tokens_at_once_is_let_in_by_one(plane: Plane, client: httpx.Client) -> None:
    first, second, device = plane.token(), plane.token(), SignedDevice(client)
    services, now = plane.services, plane.clock.now()

    def enrol(session: Session) -> None:
        services.enrollment.enroll(session, device.enrollment(first), now, "here")

    assert overtake(services.database, enrol, lambda: device.enroll(second)).status_code == 401
    assert count(plane, Device) == 1


def test_a_device_that_is_retired_while_it_enrols_again_stays_out(plane: Plane, client: httpx.Client) -> None:
    token, device = plane.token(), SignedDevice(client)
    assert device.enroll(token).is_success
    before = dict(plane.broker_users.secrets)

    def retired(session: Session) -> None:
        retire(session, session.scalars(select(Device)).one(), plane.clock.now())

    assert overtake(plane.services.database, retired, lambda: device.enroll(token)).status_code == 401
    assert plane.broker_users.secrets == before


def rotation(device: SignedDevice, new: SignedDevice) -> KeyRotation:
    signing_key = new.signer.public_key().public_bytes_raw()
    sealing_key = new.unsealer.public_key().public_bytes_raw()
    proof = new.signer.sign(rotation_message(device.device_id, signing_key, sealing_key))
    return KeyRotation(signing_key=signing_key, sealing_key=sealing_key, proof=proof)


def test_a_device_that_is_retired_while_it_exchanges_its_keys_stays_out(plane: Plane, client: httpx.Client) -> None:
    device = SignedDevice(client)
    assert device.enroll(plane.token()).is_success
    before, body = dict(plane.broker_users.secrets), rotation(device, SignedDevice(client)).to_json().encode()

    def retired(session: Session) -> None:
        retire(session, session.scalars(select(Device)).one(), plane.clock.now())

    answer = overtake(plane.services.database, retired, lambda: device.request("POST", KEYS_PATH, body))
    assert (answer.status_code, plane.broker_users.secrets) == (401, before)


def test_two_devices_do_not_get_the_same_key(plane: Plane, client: httpx.Client) -> None:
    one, other, new = SignedDevice(client, "desk-1"), SignedDevice(client, "desk-2"), SignedDevice(client)
    for device in (one, other):
        assert device.enroll(plane.token()).is_success

    def rotate(device: SignedDevice) -> Write:
        return lambda session: rotate_keys(session, session.get_one(Device, device.device_id), rotation(device, new))

    with pytest.raises(TrustError):
        both(plane, rotate(one), rotate(other))


def test_a_device_that_two_retire_is_retired_once(plane: Plane, admin: httpx.Client, desks: str) -> None:
    def retired(session: Session) -> None:
        assert retire(session, session.scalars(select(Device)).one(), plane.clock.now())

    overtake(plane.services.database, retired, lambda: admin.post("/v1/devices/desk-1/retire")).raise_for_status()
    assert "device.retire" not in actions(plane)


def test_an_answer_that_is_forgotten_while_it_is_kept_is_no_error(plane: Plane) -> None:
    database, request = plane.services.database, KeyedRequest(b"token", b"key", b"content")
    assert begin(database, request, plane.clock.now()) is None
    answer = Answer(200, "application/json", b"{}")
    overtake(database, lambda session: session.execute(delete(KeptAnswer)), lambda: keep(database, request, answer))
    assert begin(database, request, plane.clock.now()) is None


def test_a_group_that_goes_while_it_is_assigned_to_is_not_found(plane: Plane) -> None:
    plane.publish()
    plane.group("desks")
    now = plane.clock.now()
    found = refused(
        plane,
        lambda session: delete_group(session, "desks", now),
        lambda session: assign(session, "Editor", "desks", Intent.REQUIRED, now),
    )
    assert found is ErrorCode.UNKNOWN_GROUP


def test_a_group_that_goes_while_a_device_is_put_into_it_is_not_found(
    plane: Plane, admin: httpx.Client, desks: str
) -> None:
    answer = overtake(
        plane.services.database,
        lambda session: delete_group(session, "desks", plane.clock.now()),
        lambda: admin.put("/v1/groups/desks/members/desk-1"),
    )
    assert answer.status_code == 404


def test_a_group_goes_with_a_device_that_comes_into_it_by_enrolling(plane: Plane, desks: str) -> None:
    other, now = plane.group("others"), plane.clock.now()

    def come(session: Session) -> None:
        add_member(session, other, session.scalars(select(Device.id)).one(), now)

    both(plane, come, lambda session: delete_group(session, "others", now))
    assert count(plane, GroupMember) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/enrollment-tokens", {"group": "desks"}), ("/v1/tokens", {"name": "eve", "groups": ["desks"]})],
)
def test_a_group_that_goes_while_a_token_is_made_for_it_is_not_found(
    plane: Plane, admin: httpx.Client, desks: str, path: str, body: object
) -> None:
    answer = overtake(
        plane.services.database,
        lambda session: delete_group(session, "desks", plane.clock.now()),
        lambda: admin.post(path, json=body),
    )
    assert answer.status_code == 404


def test_what_two_remove_at_once_is_not_there_for_the_second(plane: Plane) -> None:
    plane.publish()
    plane.group("desks")
    now = plane.clock.now()
    with plane.services.database.transaction() as session:
        add_filter(session, "linux", 'device.hostname -eq "desk-1"', now)
    plane.assign("desks")
    removals: list[tuple[Write, ErrorCode]] = [
        (lambda session: unassign(session, "Editor", "desks"), ErrorCode.UNKNOWN_ASSIGNMENT),
        (lambda session: delete_group(session, "desks", now), ErrorCode.UNKNOWN_GROUP),
        (lambda session: delete_filter(session, "linux"), ErrorCode.UNKNOWN_FILTER),
    ]
    for remove, expected in removals:
        assert refused(plane, remove) is expected


def test_a_secret_that_two_delete_is_not_there_for_the_second(plane: Plane, admin: httpx.Client) -> None:
    assert admin.put("/v1/secrets/licence", json={"value": "a long value"}).is_success
    answer = overtake(
        plane.services.database,
        lambda session: delete_secret(session, "licence", force=False),
        lambda: admin.delete("/v1/secrets/licence"),
    )
    assert answer.status_code == 404


def test_a_rule_is_changed_only_while_it_is_as_it_was_seen(plane: Plane, admin: httpx.Client, desks: str) -> None:
    seen, now = admin.get("/v1/groups/desks").headers["ETag"], plane.clock.now()
    answer = overtake(
        plane.services.database,
        lambda session: set_rule(session, find_group(session, "desks"), 'device.hostname -eq "desk-1"', now),
        lambda: admin.put("/v1/groups/desks/rule", json={"rule": None}, headers={"If-Match": seen}),
    )
    assert answer.status_code == 412


def test_a_device_that_comes_into_a_group_by_two_changes_at_once_is_in_it_once(
    plane: Plane, admin: httpx.Client, desks: str
) -> None:
    now = plane.clock.now()
    with plane.services.database.transaction() as session:
        create_group(session, "north", now, rule='device.site -eq "north"')

    def change(session: Session) -> None:
        set_rule(session, find_group(session, "north"), 'device.hostname -eq "desk-1"', now)

    path = "/v1/devices/desk-1/site"
    overtake(plane.services.database, change, lambda: admin.put(path, json={"site": "north"})).raise_for_status()
    with plane.services.database.snapshot() as session:
        members = select(func.count()).select_from(GroupMember).join(Group).where(Group.name == "north")
        assert session.scalar(members) == 1
