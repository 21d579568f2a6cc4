"""Planning an assignment over a large fleet: time, memory, and how long anybody has to wait for its lock.

Each measurement is a process of its own, so that its memory is its own.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time

from sqlalchemy.orm import Session

from contract.states import Intent
from control.catalog.assignments import assign
from control.database.engine import make_engine
from control.database.migrate import upgrade
from control.database.session import Database
from control.planning.service import plan_fleet
from tests.bench import big_fleet
from tests.bench.big_fleet import Size
from tests.bench.databases import DATABASES
from tests.bench.row import Row, Unit

#: What issue 8 asks for, for 100,000 devices.
AIM_SECONDS = 20.0
AIM_MEGABYTES = 500.0
#: Nobody who checks in may have to wait for longer.
AIM_LOCKED_SECONDS = 1.0

#: Devices with one app each; a tenth has the one that is assigned.
_FULL = Size(devices=100_000, apps_of_device=1, jobs_of_app=1)
_QUICK = Size(devices=5_000, apps_of_device=1, jobs_of_app=1)
_ONLINE = timedelta(hours=1)
_KILOBYTES_OF_MEGABYTE = 1e3
_AREA = "planning"


@dataclass(frozen=True)
class Cost:
    """What planning took.

    Attributes:
        seconds: On the wall's clock.
        cpu_seconds: Of the process that plans; a database server's are its own.
        locked_seconds: The longest transaction that kept other planners out.
        megabytes: The most memory that the process had.
        made: How many jobs were made.
    """

    seconds: float
    cpu_seconds: float
    locked_seconds: float
    megabytes: float
    made: int


class _Watched(Database):
    """A database that knows its longest writing transaction."""

    longest = 0.0

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """See `Database.transaction`."""
        began = perf_counter()
        with super().transaction() as session:
            yield session
        self.longest = max(self.longest, perf_counter() - began)


def rows(quick: bool) -> Iterator[Row]:
    """An app for everybody, and then nothing new, on SQLite and on PostgreSQL."""
    size = _QUICK if quick else _FULL
    for name, opened in DATABASES.items():
        with opened() as url:
            yield from _on(url, size, name)


def _on(url: str, size: Size, database_name: str) -> Iterator[Row]:
    _fill(url, size)
    share = size.devices / _FULL.devices
    for what in ("an app for all of", "nothing new for"):
        cost = _measured(url)
        name = f"{what} {size.devices:,} devices, {database_name}"
        extra = f"{cost.made:,} jobs made, {cost.cpu_seconds:.2f} s of CPU"
        yield Row(_AREA, name, cost.seconds, extra=extra, limit=AIM_SECONDS * share)
        yield Row(_AREA, f"memory, {name}", cost.megabytes, unit=Unit.MEGABYTES, limit=AIM_MEGABYTES)
        yield Row(_AREA, f"longest time that others wait, {name}", cost.locked_seconds, limit=AIM_LOCKED_SECONDS)


def _fill(url: str, size: Size) -> None:
    database = Database.at(url)
    try:
        upgrade(database)
        big_fleet.fill(database, size)
        with database.transaction() as session:
            assign(session, big_fleet.app_name(0), big_fleet.EVERYONE, Intent.REQUIRED, big_fleet.NOW)
    finally:
        database.close()


def _measured(url: str) -> Cost:
    # Spawned: a forked process would begin with the memory of this one.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_plan, url).result()


def _plan(url: str) -> Cost:
    database = _Watched(make_engine(url))
    try:
        began, computed = perf_counter(), process_time()
        planned = plan_fleet(database, now=big_fleet.NOW, online_since=big_fleet.NOW - _ONLINE)
        seconds, cpu_seconds = perf_counter() - began, process_time() - computed
    finally:
        database.close()
    return Cost(seconds, cpu_seconds, database.longest, _peak_megabytes(), planned.made)


def _peak_megabytes() -> float:
    """The most that this program had; what `getrusage` tells includes the program that started it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / _KILOBYTES_OF_MEGABYTE
