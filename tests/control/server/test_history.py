"""`outrider-control history` and `tallies`: what operators of the machine read, delete and check."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner, Result

from contract.clock import SystemClock
from control.audit.seals import AuditSealer
from control.audit.trail import AuditTrail
from control.database.migrate import upgrade
from control.database.session import Database
from control.database.tables import ArchivedJob, AuditEntry, JobTally
from control.security.content_keys import ensure_key_encryption_key
from control.server.main import app
from tests.bench import big_fleet
from tests.bench.big_fleet import Size


class Machine:
    """A control plane's machine with a database and key files; nothing else of it is needed."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.database = database
        self.folder = folder

    def run(self, *words: str) -> Result:
        environment = {
            "DATABASE_URL": f"sqlite:///{self.folder / 'control.db'}",
            "BROKER_URL": "redis://127.0.0.1/0",
            "S3_ENDPOINT": "http://127.0.0.1",
            "S3_ACCESS_KEY": "key",
            "S3_SECRET_KEY": "secret",
            "OUTRIDER_STATE_DIR": str(self.folder),
        }
        return CliRunner().invoke(app, words, env=environment)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine with two devices, and archived jobs of theirs that were replaced 10, 20 and 30 days ago."""
    ensure_key_encryption_key(tmp_path)
    with closing(Database.at(f"sqlite:///{tmp_path / 'control.db'}")) as database:
        upgrade(database)
        big_fleet.fill(database, Size(devices=2))
        now = SystemClock().now()
        with database.transaction() as session:
            session.add_all(
                ArchivedJob(
                    id=str(age),
                    device_id=big_fleet.device_id(age // 10 % 2),
                    replaced_at=now - timedelta(days=age),
                    document=json.dumps({"age": age}),
                )
                for age in (10, 20, 30)
            )
        yield Machine(tmp_path, database)


def ages(done: Result) -> list[int]:
    assert done.exit_code == 0, done.output
    return [json.loads(line)["age"] for line in done.stdout.splitlines()]


def test_the_archive_is_printed_as_json_lines(machine: Machine) -> None:
    assert ages(machine.run("history", "export")) == [30, 20, 10]
    assert ages(machine.run("history", "export", "--older-than", "15d")) == [30, 20]
    assert ages(machine.run("history", "export", "--device", big_fleet.device_name(0))) == [20]


def test_a_device_that_is_not_there_is_a_clear_error(machine: Machine) -> None:
    done = machine.run("history", "export", "--device", "nobody")
    assert done.exit_code == 2
    assert "nobody" in done.stderr
    assert done.stdout == ""


def test_what_is_pruned_is_gone_and_in_the_audit_log(machine: Machine) -> None:
    done = machine.run("history", "prune", "--older-than", "15d", "--json")
    assert json.loads(done.stdout) == {"deleted": 2}
    assert ages(machine.run("history", "export")) == [10]
    with machine.database.snapshot() as session:
        (entry,) = session.scalars(select(AuditEntry))
        assert (entry.action, json.loads(entry.after)["jobs"]) == ("history.prune", 2)
        assert AuditTrail(AuditSealer.load(machine.folder)).verify(session).broken_at is None


def test_tallies_that_are_right_are_called_so(machine: Machine) -> None:
    done = machine.run("tallies")
    assert (done.exit_code, done.stdout) == (0, "The numbers are those of the jobs.\n")


def test_wrong_tallies_are_named_and_put_right_on_request(machine: Machine) -> None:
    with machine.database.transaction() as session:
        session.execute(update(JobTally).values(jobs=JobTally.jobs + 7))
    done = machine.run("tallies")
    assert done.exit_code == 1
    assert "finished/installed//: 9 instead of 2" in done.stdout
    assert machine.run("tallies", "--repair").exit_code == 0
    assert machine.run("tallies").exit_code == 0
