"""Check-in: what is due is sent, what is stale is void, and nothing is sent twice."""

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

from sqlalchemy import event

from contract.states import Intent
from contract.uplink import CheckIn, CheckInReason, CheckInReply
from control.answers.devices import device_detail
from control.answers.moment import this_moment
from control.database.tables import Device
from control.fleet.check_in import Arrival, CheckInTerms, check_in
from control.fleet.groups import remove_member
from control.fleet.retirement import retire
from control.views.fleet import DeviceDetail
from tests.control.plane import FACTS, Plane, SignedDevice

Enrolled = Callable[..., SignedDevice]
HOUR = timedelta(hours=1)


def sent_by(device: SignedDevice) -> int:
    return CheckInReply.from_json(device.check_in().content).jobs_sent


def detail(plane: Plane, device: SignedDevice) -> DeviceDetail:
    with plane.services.database.snapshot() as session:
        return device_detail(session, device.device_id, this_moment(plane.services))


def test_a_device_with_nothing_due_is_sent_nothing(enrolled: Enrolled) -> None:
    assert sent_by(enrolled()) == 0


def test_what_was_assigned_while_it_was_away_is_sent_once(plane: Plane, enrolled: Enrolled) -> None:
    plane.publish()
    device = enrolled(group_id=plane.group("desks"))
    plane.clock.advance(timedelta(days=7))
    plane.assign("desks")
    plane.plan()
    assert plane.dispatch() == []
    assert sent_by(device) == 1
    assert len(plane.dispatch()) == 1
    assert sent_by(device) == 0
    assert plane.dispatch() == []


def test_what_became_stale_while_it_was_away_is_void(plane: Plane, enrolled: Enrolled) -> None:
    plane.publish()
    group_id = plane.group("desks")
    device = enrolled(group_id=group_id)
    plane.assign("desks")
    plane.plan()
    plane.clock.advance(timedelta(days=7))
    with plane.services.database.transaction() as session:
        remove_member(session, group_id, device.device_id)
    assert sent_by(device) == 0
    assert [job.state for job in detail(plane, device).jobs] == ["cancelled"]


def test_available_apps_are_not_pushed(plane: Plane, enrolled: Enrolled) -> None:
    plane.publish()
    device = enrolled(group_id=plane.group("desks"))
    plane.assign("desks", Intent.AVAILABLE)
    assert sent_by(device) == 0


def test_a_device_that_comes_back_has_time_to_begin_what_waits_in_its_queue(plane: Plane, enrolled: Enrolled) -> None:
    plane.publish()
    device = enrolled(group_id=plane.group("desks"))
    plane.assign("desks")
    plane.plan()
    assert len(plane.dispatch()) == 1
    plane.clock.advance(timedelta(days=7))
    device.check_in()
    plane.reconcile()
    assert plane.dispatch() == []
    plane.clock.advance(timedelta(minutes=8))
    device.check_in()
    plane.clock.advance(timedelta(minutes=8))
    device.check_in()
    plane.reconcile()
    assert [ref.generation for _, ref in plane.dispatch()] == [2]


def test_a_device_that_another_process_has_retired_is_not_checked_in(plane: Plane, enrolled: Enrolled) -> None:
    device = enrolled()
    sent_by(device)
    with plane.services.database.transaction() as session:
        retire(session, session.get_one(Device, device.device_id), plane.clock.now())
    refused = device.check_in()
    assert refused.status_code == HTTPStatus.UNAUTHORIZED
    assert "no such device is enrolled" in refused.text


def test_a_device_says_anew_what_it_is(plane: Plane, enrolled: Enrolled) -> None:
    device = enrolled()
    plane.clock.advance(timedelta(minutes=5))
    device.check_in()
    page = detail(plane, device)
    assert page.last_seen_at == plane.clock.now()
    assert page.facts["hostname"] == "desk-1"


def test_devices_that_check_in_together_take_as_many_statements_as_one_alone(either_plane: Plane) -> None:
    either_plane.publish()
    ids = either_plane.add_devices(either_plane.group("desks"), ["a", "b", "c", "d"])
    either_plane.assign("desks")
    either_plane.plan()
    either_plane.dispatch()
    texts: list[str] = []
    engine = either_plane.services.database.engine
    event.listen(engine, "before_cursor_execute", lambda _connection, _cursor, text, *_rest: texts.append(text))

    def asked(device_ids: list[str]) -> list[str]:
        texts.clear()
        either_plane.clock.advance(timedelta(minutes=1))
        message = CheckIn(reason=CheckInReason.MAINTENANCE_TIMER, facts=FACTS)
        arrivals = [Arrival(device_id, message) for device_id in device_ids]
        with either_plane.services.database.transaction() as session:
            terms = CheckInTerms(HOUR, HOUR, {})
            replies = check_in(session, arrivals, terms, trusted_keys_version=1, now=either_plane.clock.now())
        assert all(reply is not None for reply in replies)
        return list(texts)

    alone = asked(ids[:1])
    assert asked(ids) == alone
