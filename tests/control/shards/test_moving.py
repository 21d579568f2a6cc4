"""Moving devices between shards, step by step: what is told, what is brought, who is let in where."""

from datetime import timedelta

import pytest

from contract.errors import UnavailableError
from control.database.tables import CallRow, Device
from control.fleet.broker_users import secret_hash
from control.fleet.cutting_off import cut_off_retired
from control.fleet.retirement import retire
from control.fleet.saving_users import save_new_users
from control.shards.hashing import shard_of
from control.shards.moving import misplaced_devices
from tests.control.shards.conftest import NAMES, NEW, URLS, Sharded


def test_a_device_is_enrolled_where_it_belongs_and_known_there_alone(sharded: Sharded) -> None:
    devices = sharded.fleet()
    for device_id in devices:
        home = shard_of(device_id, NAMES)
        assert sharded.row(device_id).broker_shard == home
        assert [name for name in NAMES if device_id in sharded.users[name].secrets] == [home]
    assert save_new_users(sharded.plane.services.database, sharded.plane.services.enrollment) == len(devices)
    for device_id in devices:
        assert [name for name in NAMES if device_id in sharded.users[name].saved] == [shard_of(device_id, NAMES)]


def test_a_shard_that_is_down_keeps_only_its_own_devices_from_being_saved(sharded: Sharded) -> None:
    devices = sharded.fleet()
    services = sharded.plane.services
    sharded.users["two"].down = True
    with pytest.raises(UnavailableError):
        save_new_users(services.database, services.enrollment)
    saved = {*sharded.users["first"].saved, *sharded.users["three"].saved}
    assert saved == {device_id for device_id in devices if shard_of(device_id, NAMES) != "two"}
    sharded.users["two"].down = False
    save_new_users(services.database, services.enrollment)
    assert {*sharded.users["two"].saved} == {*devices} - saved


def test_the_plan_names_who_is_not_where_they_belong_and_from_where_to_where(sharded: Sharded) -> None:
    moving = sharded.at("first")
    with sharded.plane.services.database.snapshot() as session:
        assert list(misplaced_devices(session, NAMES)) == [(moving, "first", NEW)]


def test_a_device_moves_with_what_waits_for_it_and_its_old_user_goes_last(sharded: Sharded) -> None:
    device_id = sharded.at("first")
    sharded.queues["first"].lists[device_id] = [b"newest", b"oldest"]
    sharded.queues["two"].lists[device_id] = [b"sent since"]
    assert sharded.begin(device_id) == 1
    assert sharded.users["two"].saved == {device_id: sharded.row(device_id).broker_secret_hash}
    assert sharded.row(device_id).broker_shard == "first", "until it has arrived it is sent to where it listens"
    assert sharded.says(device_id, URLS["first"]).broker_url == URLS["two"]
    assert sharded.follow() == 0
    assert sharded.queues["first"].lists[device_id] == [b"newest", b"oldest"]
    assert sharded.says(device_id, URLS["two"]).broker_url is None
    assert sharded.row(device_id).broker_shard == "two"
    assert sharded.follow() == 0
    assert sharded.queues["two"].lists[device_id] == [b"sent since", b"newest", b"oldest"]
    assert device_id in sharded.users["first"].secrets, "a dispatcher may just be sending to there"
    sharded.queues["first"].lists[device_id] = [b"late"]
    sharded.plane.clock.advance(timedelta(minutes=1))
    assert sharded.follow() == 1
    assert b"late" in sharded.queues["two"].lists[device_id]
    assert device_id not in sharded.users["first"].secrets
    assert sharded.row(device_id).left_shard is None
    assert sharded.follow() == 0


def test_beginning_again_and_hearing_it_twice_change_nothing(sharded: Sharded) -> None:
    device_id = sharded.at("first")
    assert (sharded.begin(device_id), sharded.begin(device_id)) == (1, 0)
    for _ in range(2):
        assert sharded.says(device_id, URLS["first"]).broker_url == URLS["two"]
    sharded.says(device_id, URLS["two"])
    before = sharded.row(device_id).left_shard_at
    sharded.plane.clock.advance(timedelta(seconds=5))
    assert sharded.says(device_id, URLS["two"]).broker_url is None
    assert sharded.row(device_id).left_shard_at == before
    assert sharded.begin(device_id) == 0, "it has not quite left the old one"


def test_devices_that_are_online_are_called_and_hear_it_where_they_listen(sharded: Sharded) -> None:
    device_id = sharded.at("first")
    sharded.begin(device_id)
    with sharded.plane.services.database.snapshot() as session:
        assert session.get(CallRow, device_id) is not None


def test_a_shard_that_does_not_answer_begins_no_move(sharded: Sharded) -> None:
    device_id = sharded.at("first")
    sharded.users["two"].down = True
    with pytest.raises(UnavailableError):
        sharded.begin(device_id)
    assert sharded.row(device_id).next_shard is None


def test_a_device_that_is_away_for_a_day_is_moved_without_it_and_told_when_it_is_back(sharded: Sharded) -> None:
    device_id = sharded.at("first")
    sharded.queues["first"].lists[device_id] = [b"waiting"]
    sharded.begin(device_id)
    sharded.plane.clock.advance(timedelta(days=1, seconds=1))
    sharded.follow()
    assert sharded.row(device_id).broker_shard == "two"
    assert sharded.queues["two"].lists[device_id] == [b"waiting"]
    sharded.plane.clock.advance(timedelta(minutes=2))
    assert sharded.follow() == 1
    assert device_id not in sharded.users["first"].secrets
    assert sharded.says(device_id, URLS["first"]).broker_url == URLS["two"]


def test_a_device_from_an_old_image_is_told_where_to_go_again(sharded: Sharded) -> None:
    device_id = sharded.at("two", home="two")
    assert sharded.says(device_id, URLS["first"]).broker_url == URLS["two"]
    assert sharded.says(device_id, "").broker_url is None, "a command that checks in does not listen"


def test_of_a_shard_that_is_gone_for_good_nothing_is_brought_and_its_devices_move(sharded: Sharded) -> None:
    device_id = sharded.at("first")
    with sharded.plane.services.database.transaction() as session:
        session.get_one(Device, device_id).broker_shard = "gone"
    assert sharded.begin(device_id) == 1
    sharded.says(device_id, URLS["two"])
    assert sharded.follow() == 1
    assert sharded.row(device_id).left_shard is None


@pytest.mark.parametrize("stage", ["coming", "arrived"])
def test_a_device_that_is_retired_on_its_way_is_shut_out_of_both(sharded: Sharded, stage: str) -> None:
    device_id, services = sharded.at("first"), sharded.plane.services
    sharded.begin(device_id)
    sharded.users["two"].secrets[device_id] = "let in"
    if stage == "arrived":
        sharded.says(device_id, URLS["two"])
    with services.database.transaction() as session:
        retire(session, session.get_one(Device, device_id), sharded.plane.clock.now())
    assert cut_off_retired(services.database, services.enrollment, sharded.plane.clock) == 1
    assert not [name for name in NAMES if device_id in sharded.users[name].secrets]


def test_a_new_secret_on_the_way_is_good_at_both(sharded: Sharded) -> None:
    device_id = sharded.at("first")
    sharded.begin(device_id)
    with sharded.plane.services.database.transaction() as session:
        reply = sharded.plane.services.enrollment.hand_out(session, session.get_one(Device, device_id))
    assert reply.broker_url == URLS["two"]
    for name in ("first", "two"):
        assert sharded.users[name].secrets[device_id] == reply.broker_secret
    assert sharded.row(device_id).broker_secret_hash == secret_hash(reply.broker_secret)
