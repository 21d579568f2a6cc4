import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from contract.error_codes import ErrorCode
from contract.errors import DocumentError, UnavailableError
from worker.ledger.database import Database, Durability
from worker.ledger.schema import MIGRATIONS

WRITE_AND_DIE = """\
import os, signal, sys
from pathlib import Path
from worker.ledger.database import Database, Durability
database = Database(Path(sys.argv[1]))
for number in range(100):
    database.execute("INSERT INTO apps (app_id, highest_revision) VALUES (?, 1)", (str(number),))
with database.transaction() as connection:
    connection.execute("INSERT INTO apps (app_id, highest_revision) VALUES ('half', 1)")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_every_commit_survives_kill_9_and_a_half_transaction_does_not(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    killed = subprocess.run([sys.executable, "-c", WRITE_AND_DIE, str(path)], check=False, env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    database = Database(path)
    assert {row["app_id"] for row in database.rows("SELECT app_id FROM apps")} == {str(n) for n in range(100)}
    database.close()


def test_commits_are_synced_to_disk(tmp_path: Path) -> None:
    database = Database(tmp_path / "ledger.sqlite3")
    mode, synchronous = database.row("PRAGMA journal_mode"), database.row("PRAGMA synchronous")
    assert mode is not None
    assert mode[0] == "wal"
    assert synchronous is not None
    assert synchronous[0] == 2
    database.close()


def test_a_ledger_knows_its_version_and_keeps_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    first = Database(path)
    first.execute("INSERT INTO apps (app_id, highest_revision) VALUES ('editor', 3)")
    first.close()
    again = Database(path)
    version, kept = again.row("PRAGMA user_version"), again.row("SELECT highest_revision FROM apps")
    assert version is not None
    assert version[0] == len(MIGRATIONS)
    assert kept is not None
    assert kept[0] == 3
    again.close()


def test_a_ledger_of_a_newer_agent_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(DocumentError) as caught:
        Database(path)
    assert caught.value.code is ErrorCode.DOCUMENT_TOO_NEW
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()


def test_a_failing_transaction_leaves_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "ledger.sqlite3")
    insert = "INSERT INTO apps (app_id, highest_revision) VALUES ('editor', 3)"
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as connection:
        connection.execute(f"{insert}, ('editor', 4)")
    assert database.rows("SELECT * FROM apps") == []
    database.close()


def test_two_threads_share_it(tmp_path: Path) -> None:
    database = Database(tmp_path / "ledger.sqlite3")

    def write(prefix: str) -> None:
        for number in range(50):
            database.execute("INSERT INTO apps (app_id, highest_revision) VALUES (?, 1)", (f"{prefix}{number}",))

    threads = [threading.Thread(target=write, args=(prefix,)) for prefix in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(database.rows("SELECT * FROM apps")) == 100
    database.close()


def test_a_damaged_file_is_named_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"no database at all" * 1000)
    with pytest.raises(DocumentError) as caught:
        Database(path)
    assert (caught.value.code, caught.value.place) == (ErrorCode.LEDGER_CORRUPT, str(path))
    assert path.read_bytes() == b"no database at all" * 1000


def test_a_file_that_somebody_else_holds_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    Database(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(UnavailableError) as caught:
            Database(path, busy_timeout_seconds=0.1)
    assert caught.value.code is ErrorCode.LEDGER_UNAVAILABLE


def test_a_full_disk_fails_the_transaction_and_not_the_next_one(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "ledger.db")) as database:
        database.execute("CREATE TABLE notes (text TEXT)")
        (pages,) = tuple(database.row("PRAGMA page_count") or ())
        database.row(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            database.execute("INSERT INTO notes VALUES (?)", ("x" * 100_000,))
        database.execute("INSERT INTO notes VALUES ('short')")
        database.row("PRAGMA max_page_count = 100000")
        database.execute("INSERT INTO notes VALUES (?)", ("x" * 100_000,))
        assert len(database.rows("SELECT * FROM notes")) == 2


@pytest.mark.parametrize(("durability", "synchronous"), [(Durability.NOW, 2), (Durability.SOON, 1)])
def test_what_can_be_done_again_is_not_synced_and_everything_else_is(
    tmp_path: Path, durability: Durability, synchronous: int
) -> None:
    with closing(Database(tmp_path / "ledger.db")) as database:
        for _ in range(2):
            with database.transaction(durability) as connection:
                assert connection.execute("PRAGMA synchronous").fetchone()[0] == synchronous
            with database.transaction() as connection:
                assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
