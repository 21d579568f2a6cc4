"""`outrider-control shards`, and a worker that does nothing but send to one shard."""

import json
import os
import signal
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from typer.testing import CliRunner

from contract.exit_statuses import ExitStatus
from control.database.tables import AuditEntry
from control.dispatch.ports import AddressedJob
from control.server import dispatcher, shards
from control.server.dispatcher import send_until_stopped
from control.server.shards import shards_app
from control.shards.addresses import find_shards
from control.shards.hashing import shard_of
from tests.control.plane import RecordingPublisher
from tests.control.shards.conftest import NAMES, Sharded


@pytest.fixture
def command(sharded: Sharded, monkeypatch: pytest.MonkeyPatch) -> Sharded:
    """The commands work on these brokers in memory."""
    monkeypatch.setattr(shards, "load_settings", lambda: sharded.plane.services.settings)
    monkeypatch.setattr(shards, "make_services", lambda _settings: sharded.plane.services)
    monkeypatch.setattr(shards, "configure_logs", lambda: None)
    return sharded


def run(*arguments: str) -> Any:
    done = CliRunner().invoke(shards_app, [*arguments, "--json"])
    assert done.exit_code == ExitStatus.OK, done.output
    return json.loads(done.output)


def test_the_list_tells_who_is_where_coming_and_gone(command: Sharded) -> None:
    moving = command.at("first")
    command.begin(moving)
    listed = {row["name"]: row for row in run("list")}
    assert listed.keys() == {*NAMES}
    assert listed["two"]["address"] == command.url("two")
    assert (listed["two"]["coming"], listed["first"]["left"]) == (1, 0)
    command.says(moving, command.url("two"))
    listed = {row["name"]: row for row in run("list")}
    assert (listed["two"]["coming"], listed["first"]["left"]) == (0, 1)


def test_the_plan_changes_nothing_and_move_does_it_once_and_says_so_in_the_audit_log(command: Sharded) -> None:
    moving = command.at("first")
    assert run("plan") == [{"from": "first", "to": "two", "devices": 1}]
    assert command.row(moving).next_shard is None
    assert run("move", "--per-second", "1000") == {"devices": 1}
    assert command.row(moving).next_shard == "two"
    assert run("move", "--per-second", "1000") == {"devices": 0}
    with command.plane.services.database.snapshot() as session:
        rows = session.query(AuditEntry).filter(AuditEntry.action == "shards.move").all()
    assert len(rows) == 1


def test_a_shard_can_be_emptied(command: Sharded) -> None:
    devices = command.fleet()
    run("move", "--without", "two", "--per-second", "1000")
    for device_id in devices:
        leaves = shard_of(device_id, NAMES) == "two"
        assert command.row(device_id).next_shard == (shard_of(device_id, ["first", "three"]) if leaves else None)


@pytest.mark.parametrize("without", [["four"], list(NAMES)])
def test_a_shard_that_is_not_there_and_none_left_are_refused(command: Sharded, without: list[str]) -> None:
    assert command.plane
    done = CliRunner().invoke(shards_app, ["plan", *(word for name in without for word in ("--without", name))])
    assert done.exit_code == ExitStatus.USAGE, done.output


@pytest.fixture
def signals_kept() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


class StoppingPublisher(RecordingPublisher):
    """Tells its process to stop once it has sent something."""

    def publish(self, jobs: Sequence[AddressedJob]) -> None:
        super().publish(jobs)
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.usefixtures("signals_kept")
def test_a_worker_of_one_shard_sends_what_is_its_own_until_it_is_told_to_stop(
    sharded: Sharded, monkeypatch: pytest.MonkeyPatch
) -> None:
    plane = sharded.plane
    plane.publish()
    devices = sharded.fleet(plane.group("desks"))
    plane.assign("desks")
    plane.plan()
    publisher = StoppingPublisher()
    monkeypatch.setattr(dispatcher, "make_publishers", lambda found: {shard.name: publisher for shard in found})
    monkeypatch.setattr(dispatcher, "make_callers", lambda _found: {})
    monkeypatch.setattr(dispatcher, "_LOOK_SECONDS", 0.01)
    send_until_stopped(plane.services, find_shards(plane.services.settings.shards, ["two"]))
    sent = {device_id for device_id, _ in publisher.sent}
    assert sent == {device_id for device_id in devices if shard_of(device_id, NAMES) == "two"}
