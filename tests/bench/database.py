"""What operators and devices ask of a large database, beside a lookup by primary key in the same database.

Figures are of the 99th percentile, in milliseconds; each question is asked with other names each time. Beside them is
what the question takes of processors, here and in PostgreSQL's process: that is about the same on a busy machine.
"""

import gc
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time

from sqlalchemy import text
from sqlalchemy.orm import Session

from contract.jobs import JobState
from control.answers.devices import device_detail, list_devices
from control.answers.errors import error_counts
from control.answers.job_filter import JobFilter
from control.answers.jobs import JOB_ORDER, list_jobs
from control.answers.moment import Moment
from control.answers.pages import PageRequest, cursor_at
from control.answers.rollouts import list_rollouts, rollout_detail, rollout_devices, rollout_events
from control.answers.summaries import job_summary
from control.answers.why import why
from control.database.migrate import upgrade
from control.database.session import Database
from control.database.tables import Device, Job
from control.dispatch.outbox import pending_entries
from control.planning.service import plan_device
from control.steering.orders import standing_orders
from tests.bench import big_fleet
from tests.bench.big_fleet import Size
from tests.bench.big_rollouts import HELD, THROUGH
from tests.bench.databases import postgresql
from tests.bench.row import Row, Unit

#: The aim.
AIM_MILLISECONDS = 100.0

_TIMES, _QUICK_TIMES = 40, 8
_LOOKUPS = 500
_MILLISECONDS = 1e3
_NANOSECONDS = 1e9
_PERCENTILES = 100
_ONLINE = timedelta(hours=1)
_AREA = "database"
#: When all is asked.
MOMENT = Moment(big_fleet.NOW, big_fleet.NOW - _ONLINE, timedelta(hours=1))

#: A question, of the device with this number.
Ask = Callable[[Session, int], object]


@dataclass(frozen=True)
class _Times:
    """Milliseconds that one question took: in the middle, of a hundred the slowest but one, and of processors."""

    median: float
    slowest: float
    cpu: float


def _jobs(**wanted: object) -> Ask:
    return lambda session, _: list_jobs(session, JobFilter(**wanted), MOMENT, PageRequest())  # type: ignore[arg-type]


def _second_page(session: Session, _number: int) -> object:
    wanted = JobFilter(everything=True)
    first = list_jobs(session, wanted, MOMENT, PageRequest())
    return list_jobs(session, wanted, MOMENT, PageRequest(cursor=first.next_cursor))


def _deep_page(session: Session, number: int) -> object:
    wanted = JobFilter(group=big_fleet.EVERYONE)
    page = PageRequest(cursor=cursor_at(JOB_ORDER, big_fleet.place_in_list(number)))
    return list_jobs(session, wanted, MOMENT, page)


def _summary(**wanted: object) -> Ask:
    return lambda session, _: job_summary(session, JobFilter(**wanted), MOMENT)  # type: ignore[arg-type]


def _why(session: Session, number: int) -> object:
    app = big_fleet.app_name(number % big_fleet.FULL.apps)
    return why(session, big_fleet.device_name(number), app, MOMENT)


def _held_back(session: Session, number: int) -> object:
    return why(session, big_fleet.device_name(number), big_fleet.app_name(0), MOMENT)


def _rollout_devices(session: Session, number: int) -> object:
    page = PageRequest(cursor=cursor_at((Device.name, Device.id), big_fleet.place_in_list(number)[:2]))
    return rollout_devices(session, HELD, MOMENT, page)


def _rollout(name: str) -> Ask:
    return lambda session, _: rollout_detail(session, name, MOMENT)


def _check_in(session: Session, number: int) -> object:
    id_ = big_fleet.device_id(number)
    plan_device(session, id_, now=big_fleet.NOW, online_since=big_fleet.NOW)
    return pending_entries(session, [id_]), standing_orders(session, id_)


#: What is asked, by what it is called in the table.
QUESTIONS: dict[str, Ask] = {
    "devices, a page": lambda session, _: list_devices(session, MOMENT.online_since, PageRequest()),
    "device show": lambda session, number: device_detail(session, big_fleet.device_name(number), MOMENT),
    "status, the first page of all": _jobs(everything=True),
    "status, the first two pages": _second_page,
    "status of a group of all, a page in the middle": _deep_page,
    "status of an app": _jobs(app=big_fleet.app_name(3)),
    "status of a small group": _jobs(group=big_fleet.FEW),
    "status of a group of all": _jobs(group=big_fleet.EVERYONE),
    "status of what is running": _jobs(state=JobState.RUNNING),
    "status of what is done": _jobs(state=JobState.FINISHED),
    "status of an app's failures": _jobs(app=big_fleet.app_name(3), error_code="installer-failed"),
    "summary of all": _summary(everything=True),
    "summary of an app": _summary(app=big_fleet.app_name(3)),
    "summary of a small group": _summary(group=big_fleet.FEW),
    "summary of a group of all": _summary(group=big_fleet.EVERYONE),
    "errors": lambda session, _: error_counts(session, JobFilter(everything=True)),
    "errors of an app": lambda session, _: error_counts(session, JobFilter(app=big_fleet.app_name(3))),
    "why": _why,
    "why a device is held back": _held_back,
    "rollouts, a page": lambda session, _: list_rollouts(session, PageRequest()),
    "rollout show, most devices held": _rollout(HELD),
    "rollout show, all reached": _rollout(THROUGH),
    "devices of a rollout, the first page": lambda session, _: rollout_devices(session, HELD, MOMENT, PageRequest()),
    "devices of a rollout, a page in the middle": _rollout_devices,
    "devices of a ring": lambda session, _: rollout_devices(session, HELD, MOMENT, PageRequest(), "canary"),
    "history of a rollout": lambda session, _: rollout_events(session, HELD, PageRequest()),
    "status of a rollout": _jobs(rollout=THROUGH),
    "summary of a rollout": _summary(rollout=THROUGH),
    "errors of a rollout": lambda session, _: error_counts(session, JobFilter(rollout=THROUGH)),
    "check-in": _check_in,
}


def rows(quick: bool) -> Iterator[Row]:
    """Each question, and planning, on SQLite and on PostgreSQL."""
    size = big_fleet.QUICK if quick else big_fleet.FULL
    with tempfile.TemporaryDirectory(prefix="outrider-bench-") as folder:
        yield from _on(f"sqlite:///{Path(folder) / 'control.db'}", size, "SQLite", _QUICK_TIMES if quick else _TIMES)
    with postgresql() as url:
        yield from _on(url, size, "PostgreSQL", _QUICK_TIMES if quick else _TIMES)


def _on(url: str, size: Size, database_name: str, times: int) -> Iterator[Row]:
    database = Database.at(url)
    try:
        upgrade(database)
        big_fleet.fill(database, size)
        # As the API's process does: what was made before the first request is there to stay.
        gc.collect()
        gc.freeze()
        where = f"{size.devices:,} devices, {size.jobs:,} jobs, {database_name}"
        lookup = _ask(database, lambda session, at: session.get(Job, big_fleet.job_id(at)), size, _LOOKUPS)
        for question, ask in QUESTIONS.items():
            found = _ask(database, ask, size, times)
            yield _question(f"{question}, p99; {where}", found, lookup)
    finally:
        database.close()


def _question(name: str, found: _Times, lookup: _Times) -> Row:
    middle = f"p50 {found.median:.1f} ms, CPU {found.cpu:.1f} ms; lookup {lookup.median:.2f} ms"
    figures = (found.slowest, lookup.slowest)
    return Row(_AREA, name, *figures, extra=middle, unit=Unit.MILLISECONDS, limit=AIM_MILLISECONDS)


def _ask(database: Database, ask: Ask, size: Size, times: int) -> _Times:
    taken, used = [], []
    for number in range(times):
        device = number * size.devices // times
        with database.transaction() as session:
            server = _server_process(session)
            cpu, began = _cpu_seconds(server), perf_counter()
            ask(session, device)
            taken.append((perf_counter() - began) * _MILLISECONDS)
            used.append((_cpu_seconds(server) - cpu) * _MILLISECONDS)
    cut = quantiles(taken, n=_PERCENTILES, method="inclusive")
    return _Times(cut[_PERCENTILES // 2 - 1], cut[-1], median(used))


def _server_process(session: Session) -> Path | None:
    """What the system says of PostgreSQL's process that serves this session."""
    if session.get_bind().dialect.name == "sqlite":
        return None
    return Path("/proc", str(session.scalar(text("SELECT pg_backend_pid()"))), "schedstat")


def _cpu_seconds(server: Path | None) -> float:
    """Of processors, by this process and the server's; what PostgreSQL's helpers for one question take is not in it."""
    nanoseconds = 0 if server is None else int(server.read_text().split()[0])
    return process_time() + nanoseconds / _NANOSECONDS
