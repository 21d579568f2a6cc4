"""Devices that enrol at the same time: let in together, each with an outcome of its own, and nothing half-done."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from unittest.mock import Mock

import httpx
import pytest
from sqlalchemy import func, select

from contract.error_codes import ErrorCode
from contract.errors import OutriderError, TrustError, UnavailableError
from contract.uplink import EnrollmentReply, EnrollmentRequest
from control.database.tables import AuditEntry, Device, EnrollmentToken, GroupMember, Role
from control.database.tables.trust import UnsavedBrokerUser
from control.fleet.admission import Admission, Applicant, let_in
from control.fleet.groups import create_group
from tests.control.plane import Plane, SignedDevice

Enrolled = Callable[..., SignedDevice]
Outcome = EnrollmentReply | BaseException

SOURCE = "10.0.0.7"


def request(token: str, name: str = "desk") -> EnrollmentRequest:
    return SignedDevice(httpx.Client(), name).enrollment(token)


def requests(token: str, count: int) -> list[EnrollmentRequest]:
    return [request(token, f"desk-{number}") for number in range(count)]


def another_process(plane: Plane) -> Admission:
    """What a further process of the API has."""
    services = plane.services
    return Admission(services.database, services.enrollment, services.gate.devices, plane.clock)


def outcomes(admission: Admission, asked: Sequence[EnrollmentRequest]) -> list[Outcome]:
    """What becomes of all who ask at once: the first is served, the others come together."""

    async def ask() -> list[Outcome]:
        return await asyncio.gather(*(admission.enroll(one, SOURCE) for one in asked), return_exceptions=True)

    return asyncio.run(ask())


def together(plane: Plane, asked: Sequence[EnrollmentRequest]) -> list[EnrollmentReply | None]:
    """What one group comes to."""
    with plane.services.database.transaction() as session:
        applicants = [Applicant(one, SOURCE) for one in asked]
        return let_in(session, plane.services.enrollment, applicants, plane.clock.now())


def names(plane: Plane) -> set[str]:
    with plane.services.database.snapshot() as session:
        return set(session.scalars(select(Device.name)))


def uses_left(plane: Plane) -> int:
    with plane.services.database.snapshot() as session:
        return session.scalars(select(EnrollmentToken.uses_left)).one()


def entries(plane: Plane) -> list[AuditEntry]:
    """The audit log, whose chain holds."""
    with plane.services.database.snapshot() as session:
        assert plane.services.audit.verify(session).broken_at is None
        return list(session.scalars(select(AuditEntry).order_by(AuditEntry.sequence)))


def how_many(plane: Plane, kind: type[AuditEntry | Device | GroupMember | UnsavedBrokerUser]) -> int:
    with plane.services.database.snapshot() as session:
        return session.scalar(select(func.count()).select_from(kind)) or 0


def test_a_group_is_let_in_by_one_order_to_the_broker_and_each_has_an_entry_of_its_own(
    either_plane: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    plane = either_plane
    put = Mock(wraps=plane.broker_users.put)
    monkeypatch.setattr(plane.broker_users, "put", put)
    token = plane.token(group_id=plane.group("desks"), uses=4)
    replies = together(plane, requests(token, 4))
    ids = [reply.device_id for reply in replies if reply is not None]
    assert put.call_count == 1
    assert plane.broker_users.secrets == {one.device_id: one.broker_secret for one in replies if one is not None}
    assert len(set(ids)) == 4
    assert uses_left(plane) == 0
    assert [(entry.action, entry.target, entry.actor, entry.source) for entry in entries(plane)] == [
        ("device.enroll", device_id, f"device {device_id}", SOURCE) for device_id in ids
    ]
    assert (how_many(plane, GroupMember), how_many(plane, UnsavedBrokerUser)) == (4, 4)


def test_a_group_joins_the_groups_whose_rules_it_matches_and_not_its_tokens_where_a_rule_chooses(plane: Plane) -> None:
    with plane.services.database.transaction() as session:
        linux = create_group(session, "linux", plane.clock.now(), rule='cpuArchitecture -eq "x64"').id
        nobody = create_group(session, "nobody", plane.clock.now(), rule='cpuArchitecture -eq "arm64"').id
    replies = together(plane, requests(plane.token(group_id=nobody, uses=2), 2))
    with plane.services.database.snapshot() as session:
        members = {tuple(row) for row in session.execute(select(GroupMember.group_id, GroupMember.device_id))}
    assert members == {(linux, reply.device_id) for reply in replies if reply is not None}


def test_a_bad_token_in_a_group_fails_alone(either_plane: Plane) -> None:
    token = either_plane.token(uses=3)
    asked = requests(token, 3)
    asked.insert(1, request("guessed", "stranger"))
    assert [reply is None for reply in together(either_plane, asked)] == [False, True, False, False]
    refused = outcomes(either_plane.services.admission, [request("guessed", "stranger")])
    assert isinstance(refused[0], TrustError)
    assert names(either_plane) == {"desk-0", "desk-1", "desk-2"}


def test_a_token_lets_in_as_many_of_those_who_come_at_once_as_it_is_good_for(either_plane: Plane) -> None:
    """By two processes at once, half of them each."""
    plane, token = either_plane, either_plane.token(uses=5)
    asked = requests(token, 12)
    admissions = [plane.services.admission, another_process(plane)]
    with ThreadPoolExecutor(2) as pool:
        found = [one for part in pool.map(outcomes, admissions, [asked[:6], asked[6:]]) for one in part]
    refused = [one for one in found if isinstance(one, OutriderError)]
    assert len([one for one in found if isinstance(one, EnrollmentReply)]) == 5
    assert {one.code for one in refused} == {ErrorCode.TOKEN_REFUSED}
    assert (len(refused), uses_left(plane), how_many(plane, Device), len(entries(plane))) == (7, 0, 5, 5)


def test_an_expired_token_lets_nobody_of_a_group_in(plane: Plane) -> None:
    token = plane.token(uses=3, lifetime=timedelta(hours=1))
    plane.clock.advance(timedelta(hours=1))
    assert together(plane, requests(token, 3)) == [None] * 3
    assert (uses_left(plane), names(plane)) == (3, set())


def test_a_machine_that_asks_twice_at_once_is_one_device(either_plane: Plane) -> None:
    twice = request(either_plane.token(uses=3))
    found = outcomes(either_plane.services.admission, [twice, twice, twice])
    assert len({one.device_id for one in found if isinstance(one, EnrollmentReply)}) == 1
    assert (how_many(either_plane, Device), uses_left(either_plane)) == (1, 2)
    assert [entry.action for entry in entries(either_plane)] == ["device.enroll"] * 3


def test_a_key_that_is_enrolled_gets_nothing_for_another_token_among_others_either(plane: Plane) -> None:
    known = SignedDevice(httpx.Client(), "known")
    together(plane, [known.enrollment(plane.token())])
    other = plane.token(uses=2)
    assert together(plane, [request(other), known.enrollment(other)])[1] is None
    (refused,) = outcomes(plane.services.admission, [known.enrollment(other)])
    assert isinstance(refused, TrustError)


def test_who_does_not_hold_its_key_holds_nobody_else_up(plane: Plane) -> None:
    token = plane.token(uses=2)
    forged = request(token, "forged").model_copy(update={"name": "changed on the way"})
    found = outcomes(plane.services.admission, [request(token, "good"), forged])
    assert isinstance(found[0], EnrollmentReply)
    assert isinstance(found[1], TrustError)
    assert (names(plane), uses_left(plane)) == ({"good"}, 1)


def test_a_broker_that_is_down_leaves_nothing_of_a_group(either_plane: Plane) -> None:
    plane, token = either_plane, either_plane.token(group_id=either_plane.group("desks"), uses=4)
    asked = requests(token, 4)
    plane.broker_users.down = True
    assert {type(one) for one in outcomes(plane.services.admission, asked)} == {UnavailableError}
    assert [how_many(plane, kind) for kind in (Device, GroupMember, UnsavedBrokerUser, AuditEntry)] == [0] * 4
    assert uses_left(plane) == 4
    plane.broker_users.down = False
    assert all(isinstance(one, EnrollmentReply) for one in outcomes(plane.services.admission, asked))


def test_a_group_that_is_cut_off_after_the_broker_was_told_leaves_no_device(
    plane: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = plane.token(uses=3)
    monkeypatch.setattr(plane.services.enrollment, "record", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        together(plane, requests(token, 3))
    assert (how_many(plane, Device), how_many(plane, UnsavedBrokerUser), uses_left(plane)) == (0, 0, 3)
    assert len(plane.broker_users.secrets) == 3, "it was told"
    with plane.services.database.transaction() as session:
        plane.services.enrollment.renew_broker_users(session)
    assert plane.broker_users.secrets == {}, "whom the database does not know"


def test_a_device_in_the_place_of_another_one_asks_alone(
    plane: Plane, client: httpx.Client, enrolled: Enrolled, operator: Callable[[Role], dict[str, str]]
) -> None:
    old = enrolled()
    in_its_place = client.post("/v1/devices/desk-1/replace", json={}, headers=operator(Role.ADMIN)).json()["token"]
    asked = [request(plane.token(), "other"), request(in_its_place, "new")]
    assert [reply is None for reply in together(plane, asked)] == [False, True]
    assert isinstance(outcomes(plane.services.admission, asked[1:])[0], EnrollmentReply)
    with plane.services.database.snapshot() as session:
        assert session.get_one(Device, old.device_id).retired_at is not None
    assert old.device_id not in plane.broker_users.secrets
