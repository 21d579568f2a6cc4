"""How the cost of a job grows with the number of jobs: the code of the control plane's processes, all in this one."""

import gc
import tempfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from time import process_time

from contract.clock import ManualClock
from contract.states import Intent
from control.catalog.assignments import assign
from control.database.migrate import upgrade
from control.database.session import Database
from control.dispatch.celery_app import chain_template
from control.dispatch.outbox import dispatch_due
from control.dispatch.ports import AddressedJob, JobPublisher
from control.dispatch.redis_publisher import RedisJobPublisher
from control.ingest.words import Word, take_words
from control.planning.service import plan_fleet
from tests.bench import big_fleet
from tests.bench.big_fleet import Size
from tests.bench.databases import Opened
from tests.bench.row import Row, Unit
from tests.control.plane import report_of
from tests.support.broker import RunningBroker, running_broker

#: How much more a job may cost among many.
AIM = 1.2

_FEW, _QUICK_FEW = 1_000, 200
_MANY, _QUICK_MANY = 100_000, 2_000
#: How often few are measured, each time in a database of their own: once is a tenth of a second, which wavers.
_ROUNDS, _QUICK_ROUNDS = 7, 3
#: Reports that are stored together, as many as come at the same time from a busy fleet.
_TOGETHER = 16
#: Devices under way at a time: they were sent their jobs together, and report in no order.
_PART = 1_000
_MILLISECONDS = 1e3
_AREA = "growth"


class _Costs(dict[str, float]):
    """Seconds of CPU, by what they were for."""

    @property
    def whole(self) -> float:
        """For all of it."""
        return sum(self.values())

    def each(self, jobs: int) -> str:
        """Milliseconds for one job, in words."""
        return ", ".join(f"{what} {seconds / jobs * _MILLISECONDS:.3f}" for what, seconds in self.items())


def growth(database_name: str, opened: Opened, *, quick: bool) -> Row:
    """A job's cost among many beside its cost among few: planned, sent, and its report stored."""
    few, many, rounds = (_QUICK_FEW, _QUICK_MANY, _QUICK_ROUNDS) if quick else (_FEW, _MANY, _ROUNDS)
    with tempfile.TemporaryDirectory(prefix="outrider-bench-") as folder, running_broker(Path(folder)) as broker:
        # Statements are compiled, modules read.
        _costs(opened, broker, _QUICK_FEW)
        small = _median([_costs(opened, broker, few) for _ in range(rounds)])
        large = _costs(opened, broker, many)
    name = f"a job among {many:,} beside one among {few:,}, {database_name}"
    ours, baseline = (one.whole / jobs * _MILLISECONDS for one, jobs in ((large, many), (small, few)))
    extra = f"{large.each(many)}; among few: {small.each(few)}"
    return Row(_AREA, name, ours, baseline, AIM, extra, unit=Unit.CPU_MILLISECONDS)


def _median(rounds: Sequence[_Costs]) -> _Costs:
    """The round in the middle; of an even number the dearer one of the two."""
    return sorted(rounds, key=lambda costs: costs.whole)[len(rounds) // 2]


def _costs(opened: Opened, broker: RunningBroker, jobs: int) -> _Costs:
    # As the API does: the collector's walk through all modules is a third of what few jobs cost, in every other round.
    gc.collect()
    gc.freeze()
    with opened() as url:
        database = Database.at(url)
        try:
            return _of_jobs(database, broker, jobs)
        finally:
            database.close()


class _NotingPublisher:
    """Sends jobs, and notes them in the order in which they are sent."""

    def __init__(self, publisher: JobPublisher) -> None:
        self._publisher = publisher
        self.sent: list[AddressedJob] = []

    def publish(self, jobs: Sequence[AddressedJob]) -> None:
        """See `JobPublisher.publish`."""
        self._publisher.publish(jobs)
        self.sent += jobs


def _of_jobs(database: Database, broker: RunningBroker, jobs: int) -> _Costs:
    # One of two apps is on each device; to those that have the other one the first is assigned.
    upgrade(database)
    big_fleet.fill(database, Size(devices=2 * jobs, apps=2, apps_of_device=1, jobs_of_app=1))
    with database.transaction() as session:
        assign(session, big_fleet.app_name(0), big_fleet.EVERYONE, Intent.REQUIRED, big_fleet.NOW)
    publisher, clock = RedisJobPublisher(broker.control_url, chain_template()), ManualClock(big_fleet.NOW)
    noting = _NotingPublisher(publisher)
    costs = _Costs()
    began = process_time()
    plan_fleet(database, now=big_fleet.NOW, online_since=big_fleet.NOW - timedelta(days=1000))
    costs["plan"] = process_time() - began
    began = process_time()
    sent = dispatch_due(database, noting, clock, 2 * jobs)
    costs["dispatch"] = process_time() - began
    assert sent >= jobs, f"{sent} of {jobs} were sent"
    costs["report"] = sum(_store(database, words) for words in _words(noting.sent))
    return costs


def _words(sent: Sequence[AddressedJob]) -> Iterator[Sequence[Word]]:
    random = Random(len(sent))
    for start in range(0, len(sent), _PART):
        part = list(sent[start : start + _PART])
        random.shuffle(part)
        yield [Word(job.device_id, report_of(job.ref, job.device_id)) for job in part]


def _store(database: Database, words: Sequence[Word]) -> float:
    began = process_time()
    for start in range(0, len(words), _TOGETHER):
        with database.transaction() as session:
            assert None not in take_words(session, words[start : start + _TOGETHER], big_fleet.NOW)
    return process_time() - began
