"""What the scheduler's tasks cost while nothing happens to a large fleet, and a rollout to all of it waits.

Every task of the control plane's workers is carried out as the scheduler asks for it, and its CPU is counted by the
minute. Broker and content store are in memory: a task that has nothing to do does not speak to them.
"""

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import process_time

from pydantic import SecretStr
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from contract.clock import ManualClock
from contract.queues import ControlTask
from contract.states import Intent
from control.bootstrap import assemble, beat_intervals, make_signer
from control.catalog.assignments import assign
from control.database.migrate import upgrade
from control.database.tables import OutboxEntry, Revision
from control.rollouts.actions import Order, act
from control.rollouts.creation import create_rollout
from control.rollouts.spec import RolloutSpec
from control.rollouts.states import RolloutAction
from control.security.content_keys import ensure_key_encryption_key
from control.security.file_policy_signer import ensure_policy_key, policy_key_folder
from control.security.nonces import ProcessNonces
from control.services import Services
from control.settings import ControlSettings
from control.shards.device_brokers import DeviceBrokers
from control.shards.hashing import FIRST_SHARD
from control.work import handlers
from storage.objects.memory import MemoryObjectStore
from tests.bench import big_fleet
from tests.bench.big_fleet import Size
from tests.bench.databases import DATABASES
from tests.bench.row import Row, Unit
from tests.control.plane import (
    MemoryDeviceQueues,
    RecordingBrokerUsers,
    RecordingInspector,
    RecordingPublisher,
    RecordingQueue,
)

#: Of one core, all tasks together.
AIM_PERCENT = 5.0

_FULL = Size(devices=100_000, apps=1, apps_of_device=1, jobs_of_app=1)
_QUICK = Size(devices=1_000, apps=1, apps_of_device=1, jobs_of_app=1)
_MINUTES = 2
_MINUTE = timedelta(minutes=1)
_PERCENT = 100
_AREA = "fleet at rest"
_RINGS = {"rings": [{"name": "canary", "percent": 10, "soak_seconds": 86400}, {"name": "all"}]}


class _Caller:
    """Nobody is to be called."""

    def call(self, device_ids: Collection[str]) -> None:
        """See `DeviceCaller.call`."""
        assert not device_ids


def rows(quick: bool) -> Iterator[Row]:
    """Each task, and all of them, on SQLite and on PostgreSQL."""
    size = _QUICK if quick else _FULL
    for name, opened in DATABASES.items():
        with opened() as url, tempfile.TemporaryDirectory(prefix="outrider-bench-") as folder:
            yield from _on(url, Path(folder), size, name)


def _on(url: str, folder: Path, size: Size, database_name: str) -> Iterator[Row]:
    where = f"{size.devices:,} devices, {database_name}"
    with capture_logs(), _services(url, folder) as (services, clock):
        big_fleet.fill(services.database, size)
        with services.database.transaction() as session:
            _begin_rollout(session, services)
        tasks = handlers(services, {FIRST_SHARD: RecordingPublisher()}, RecordingInspector(), {FIRST_SHARD: _Caller()})
        intervals = beat_intervals(services.settings)
        # What the rollout begins is done; from then on nothing happens.
        for task in (ControlTask.ROLLOUT, ControlTask.PLAN):
            tasks[task]()
        _send_all(services, clock, tasks[ControlTask.DISPATCH])
        for task in (*intervals, *intervals):
            tasks[task]()
        spent = _spent(tasks, intervals, clock)
    for task, seconds in sorted(spent.items(), key=lambda pair: -pair[1]):
        yield Row(_AREA, f"{task}, a minute, {where}", seconds, unit=Unit.CPU_SECONDS)
    percent = sum(spent.values()) / _MINUTE.total_seconds() * _PERCENT
    yield Row(_AREA, f"all tasks, {where}", percent, unit=Unit.PERCENT_OF_A_CORE, limit=AIM_PERCENT)


def _send_all(services: Services, clock: ManualClock, dispatch: Callable[[], object]) -> None:
    """Send all that waits, as many as may be sent at once each time: a rollout is looked at whenever jobs get on."""
    settings = services.settings
    with services.database.snapshot() as session:
        waiting = session.scalar(select(func.count()).select_from(OutboxEntry).where(OutboxEntry.sent_at.is_(None)))
    for _ in range((waiting or 0) // settings.dispatch_burst + 1):
        clock.advance(timedelta(seconds=settings.dispatch_burst / settings.dispatch_per_second))
        dispatch()


def _spent(
    tasks: Mapping[ControlTask, Callable[[], object]], intervals: Mapping[ControlTask, timedelta], clock: ManualClock
) -> dict[ControlTask, float]:
    """Seconds of CPU that each task takes in a minute."""
    spent = dict.fromkeys(intervals, 0.0)
    passed = {task: timedelta() for task in intervals}
    step = min(intervals.values())
    for _ in range(int(_MINUTES * _MINUTE / step)):
        clock.advance(step)
        for task, interval in intervals.items():
            passed[task] += step
            if passed[task] >= interval:
                passed[task] = timedelta()
                began = process_time()
                tasks[task]()
                spent[task] += process_time() - began
    return {task: seconds / _MINUTES for task, seconds in spent.items()}


def _begin_rollout(session: Session, services: Services) -> None:
    """All devices have the one app; its second revision is on its way to a tenth of them."""
    app, now = big_fleet.app_name(0), big_fleet.NOW
    assign(session, app, big_fleet.EVERYONE, Intent.REQUIRED, now)
    first = session.scalars(select(Revision)).one()
    columns = {column.name: getattr(first, column.name) for column in Revision.__table__.columns}
    session.execute(insert(Revision), [{**columns, "number": 2}])
    spec = RolloutSpec.model_validate(_RINGS)
    rollout = create_rollout(session, app, spec, actor="bench", now=now, revision=None, name=None)
    act(session, rollout.id, Order(RolloutAction.START, now, now - _MINUTE, services.policies))


@contextmanager
def _services(url: str, folder: Path) -> Iterator[tuple[Services, ManualClock]]:
    settings = ControlSettings(
        database_url=SecretStr(url),
        broker_url=SecretStr("redis://broker.example"),
        s3_endpoint="http://store.example",
        s3_access_key="key",
        s3_secret_key=SecretStr("secret"),
        state_dir=folder,
    )
    ensure_policy_key(policy_key_folder(folder))
    ensure_key_encryption_key(folder)
    clock = ManualClock(big_fleet.NOW)
    services = assemble(
        settings,
        clock=clock,
        store=MemoryObjectStore(clock=clock),
        signer=make_signer(settings),
        brokers=DeviceBrokers({FIRST_SHARD: RecordingBrokerUsers()}, {FIRST_SHARD: MemoryDeviceQueues()}),
        nonces=ProcessNonces(clock),
        queue=RecordingQueue(),
    )
    try:
        upgrade(services.database)
        yield services, clock
    finally:
        services.database.close()
