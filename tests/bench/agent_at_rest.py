"""An agent at rest after a job: memory, connections, commands to the broker, processor time, wake-ups.

The baseline is a bare Celery worker, stock transport, solo pool and lean flags, on the same broker in the same minutes.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import redis

from deploy.local.layout import StackLayout
from deploy.local.polling import wait_until
from tests.bench.cpu_clock import cpu_seconds
from tests.bench.row import Row, Unit
from tests.faults.apps import Pace, publish, upload_package
from tests.faults.device import device
from tests.faults.records import is_installed
from tests.faults.site import Site, running_site
from tests.support.broker import let_tester_in, url_of_tester

#: What an agent may take at rest.
AIM_MEGABYTES = 80
AIM_CONNECTIONS = 3
AIM_COMMANDS_A_SECOND = 0.2
AIM_PERCENT_OF_A_CORE = 0.1

_REST_SECONDS = 120
_QUICK_REST_SECONDS = 8
#: What a process still does of its own when a job has just ended.
_SETTLE_SECONDS = 12
_READY_SECONDS = 60
_MEGABYTE = 1e6
_PERCENT = 100
_SECONDS_AN_HOUR = 3600
_AREA = "agent at rest"

_BARE_WORKER = """
import celery
app = celery.Celery("bare", broker={url!r})
app.conf.update(task_default_queue="bare", worker_enable_remote_control=False, task_ignore_result=True)
@app.task(name="nothing")
def nothing(): pass
nothing.delay()
app.Worker(pool="solo", concurrency=1, without_gossip=True, without_mingle=True, without_heartbeat=True).start()
"""


@dataclass(frozen=True)
class AtRest:
    """What a process took while nothing was to be done, by the second where it is a rate."""

    megabytes: float
    connections: float
    commands: float
    percent: float
    wake_ups: float


@dataclass(frozen=True)
class _Counts:
    """What has come together so far in the life of a process."""

    commands: int
    cpu_seconds: float
    wake_ups: int


@dataclass(frozen=True)
class _Resting:
    """A process, and how to know its connections among the broker's."""

    process: psutil.Process
    is_own: Callable[[dict[str, str]], bool]


def rows(quick: bool) -> Iterator[Row]:
    """Measure both side by side."""
    seconds = _QUICK_REST_SECONDS if quick else _REST_SECONDS
    with tempfile.TemporaryDirectory(prefix="outrider-bench-") as name:
        folder = Path(name)
        let_tester_in(StackLayout.at(folder / "site").part("broker"))
        with running_site(folder / "site") as site, _agent(site, folder) as agent, _bare(site) as bare:
            time.sleep(_SETTLE_SECONDS)
            ours, theirs = _measure([agent, bare], site, seconds)
    yield from _rows(ours, theirs, f"at rest after a job, {seconds} s")


def _rows(ours: AtRest, theirs: AtRest, when: str) -> Iterator[Row]:
    seconds = [rest.percent / _PERCENT * _SECONDS_AN_HOUR for rest in (ours, theirs)]
    extra = f"CPU seconds an hour: {seconds[0]:.1f}, baseline {seconds[1]:.1f}"
    memory, rate = Unit.MEGABYTES, Unit.EACH_SECOND
    yield Row(_AREA, f"resident memory, {when}", ours.megabytes, theirs.megabytes, unit=memory, limit=AIM_MEGABYTES)
    connections = (ours.connections, theirs.connections)
    yield Row(_AREA, f"connections to the broker, {when}", *connections, unit=Unit.COUNT, limit=AIM_CONNECTIONS)
    commands = (ours.commands, theirs.commands)
    yield Row(_AREA, f"commands to the broker, {when}", *commands, unit=rate, limit=AIM_COMMANDS_A_SECOND)
    processor, core = (ours.percent, theirs.percent), Unit.PERCENT_OF_A_CORE
    yield Row(_AREA, f"processor, {when}", *processor, extra=extra, unit=core, limit=AIM_PERCENT_OF_A_CORE)
    yield Row(_AREA, f"wake-ups, {when}", ours.wake_ups, theirs.wake_ups, unit=rate)


@contextmanager
def _agent(site: Site, folder: Path) -> Iterator[_Resting]:
    """An agent that has installed one app."""
    with device(site, "resting", OUTRIDER_AGENT_CHECK_IN_INTERVAL_SECONDS="3600") as made:
        site.client.create_group("resting")
        site.client.add_member("resting", "resting")
        publish(site.client, upload_package(site.client, folder / "package"), "resting-app", "resting", Pace())
        assert wait_until(lambda: _all_installed(site), seconds=_READY_SECONDS), "no app was installed"
        yield _Resting(made.agent.process, lambda client: client["user"].startswith("device."))


def _all_installed(site: Site) -> bool:
    jobs = list(site.client.status(group="resting"))
    return bool(jobs) and all(map(is_installed, jobs))


@contextmanager
def _bare(site: Site) -> Iterator[_Resting]:
    """A bare worker that has run one task."""
    command = [sys.executable, "-W", "ignore", "-c", _BARE_WORKER.format(url=_tester(site))]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        process = psutil.Process(child.pid)
        try:
            yield _Resting(process, lambda client: int(client["addr"].rpartition(":")[2]) in _ports(process))
        finally:
            child.terminate()


def _tester(site: Site) -> str:
    listening = (link for link in site.parts["broker"].process.net_connections() if link.status == psutil.CONN_LISTEN)
    return url_of_tester(next(listening).laddr.port)


def _ports(process: psutil.Process) -> set[int]:
    return {link.laddr.port for link in process.net_connections()}


def _measure(resting: list[_Resting], site: Site, seconds: float) -> list[AtRest]:
    with redis.Redis.from_url(_tester(site)) as broker:
        before = [_counts(one, _clients(one, broker)) for one in resting]
        time.sleep(seconds)
        return [_at_rest(one, earlier, broker, seconds) for one, earlier in zip(resting, before, strict=True)]


def _at_rest(resting: _Resting, before: _Counts, broker: redis.Redis, seconds: float) -> AtRest:
    clients = _clients(resting, broker)
    after = _counts(resting, clients)
    return AtRest(
        megabytes=resting.process.memory_info().rss / _MEGABYTE,
        connections=len(clients),
        commands=(after.commands - before.commands) / seconds,
        percent=(after.cpu_seconds - before.cpu_seconds) / seconds * _PERCENT,
        wake_ups=(after.wake_ups - before.wake_ups) / seconds,
    )


def _clients(resting: _Resting, broker: redis.Redis) -> list[dict[str, str]]:
    return [client for client in broker.client_list() if resting.is_own(client)]


def _counts(resting: _Resting, clients: list[dict[str, str]]) -> _Counts:
    return _Counts(
        commands=sum(int(client["tot-cmds"]) for client in clients),
        cpu_seconds=cpu_seconds(resting.process.pid),
        wake_ups=_wake_ups(resting.process.pid),
    )


def _wake_ups(pid: int) -> int:
    """How often any thread of a process went to sleep so far; each time it was woken again."""
    statuses = [path.read_text(encoding="ascii") for path in Path(f"/proc/{pid}/task").glob("*/status")]
    lines = (line for status in statuses for line in status.splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))
