"""Works out what a fleet needs from what things were measured to cost, and writes it into docs/capacity.md.

`python -m deploy.capacity` rewrites the tables of the page after a figure here was measured anew; the words around
them stay. Nothing here measures: each cost names where its figure comes from.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "capacity.md"

#: The fleets that are worked out.
FLEETS: Final = (1_000, 100_000, 1_000_000)

_HOUR_SECONDS: Final = 3600
_DAY_SECONDS: Final = 24 * _HOUR_SECONDS
_KILO, _MEGA, _GIGA = 1e3, 1e6, 1e9
#: Bytes of one megabit a second over a second.
_MEGABIT_BYTES: Final = 125_000
#: A part is planned to be busy at most so much; the rest is for bad moments.
_BUSY_AT_MOST: Final = 0.5


@dataclass(frozen=True)
class Cost:
    """One measured figure.

    Attributes:
        what: What costs it.
        value: How much.
        unit: Of what.
        source: Where the figure comes from.
    """

    what: str
    value: float
    unit: str
    source: str


CHECK_IN = Cost("a check-in, API", 1.0, "ms CPU", "docs/performance.md, the full run: SQLite, 16 at a time")
JOB_API = Cost("a job, API", 7.8, "ms CPU", "docs/performance.md, a rollout over 100,000 simulated devices")
DISPATCH = Cost("sending a job, worker", 0.04, "ms CPU", "`make bench AREAS=dispatch`")
IDLE_READ = Cost(
    "a device that waits, broker", 0.0025, "ms CPU a second", "8,000 devices, a read in 10 s: 2 % of a core"
)
BROKER_USER = Cost("a device's user, broker", 2.2, "KB", "20,000 users in Valkey 9.1, `used_memory`")
BROKER_CONNECTIONS = Cost("a device's two connections, broker", 16.3, "KB", "1,000 devices, one waiting, one idle each")
WAITING_JOB = Cost("a job that waits, broker", 1.0, "KB", "1,000 devices with one job each, `used_memory`")
CONNECT = Cost("a connection with its user's password, broker", 0.12, "ms CPU", "2,000 connections")
USERS_LOADED = Cost("a device's user at the broker's start", 0.02, "ms CPU", "20,000 users, `ACL LOAD`")
USERS_SAVED = Cost("a device's user in each `ACL SAVE`", 0.005, "ms", "100,000 users: half a second without answers")
JOB_ROWS = Cost(
    "a job's row with its indexes, and its share of devices", 0.8, "KB", "100,000 devices, 1,000,000 jobs: 797 MB"
)
REPORT_ROWS = Cost("a report and eleven phases", 5.0, "KB", "a report of 2.4 KB as JSON, and its rows")
PLAN_DEVICE = Cost("planning a device, worker", 0.08, "ms CPU", "docs/performance.md: 100,000 devices, SQLite, 6.8 s")

COSTS: Final = (
    CHECK_IN,
    JOB_API,
    DISPATCH,
    PLAN_DEVICE,
    IDLE_READ,
    CONNECT,
    USERS_LOADED,
    USERS_SAVED,
    BROKER_USER,
    BROKER_CONNECTIONS,
    WAITING_JOB,
    JOB_ROWS,
    REPORT_ROWS,
)


@dataclass(frozen=True)
class Usage:
    """What is assumed of a fleet; each site has its own.

    Attributes:
        check_in_interval_seconds: How often devices check in.
        jobs_a_year: App changes that reach one device.
        rollout_seconds: Within how long one app is brought to the whole fleet.
        app_bytes: Size of an app's content.
        waiting_jobs: Jobs that wait at the broker for one device, at worst.
        reports_kept_days: How long reports and phases are kept in the database.
    """

    check_in_interval_seconds: int = _HOUR_SECONDS
    jobs_a_year: int = 100
    rollout_seconds: int = 8 * _HOUR_SECONDS
    app_bytes: int = 100_000_000
    waiting_jobs: int = 2
    reports_kept_days: int = 365


@dataclass(frozen=True)
class Need:
    """What one fleet needs.

    Attributes:
        check_ins_a_second: On average; they are spread out.
        api_cores_at_rest: Busy with check-ins alone.
        jobs_a_second: While an app is brought to the whole fleet.
        api_cores_in_rollout: Busy with check-ins and jobs.
        api_processes: One for each core that is needed, none of them busy for more than half of its time.
        broker_bytes: Users, connections and waiting jobs, all shards together.
        broker_connections: Of devices.
        broker_core: Of one core, for devices that wait.
        reconnect_seconds: For all devices to come back after the broker's restart, one shard.
        save_seconds: For which one shard answers nobody while it saves its users.
        database_bytes: With reports of a year.
        planning_seconds: CPU for planning one app for everybody.
        store_megabits: While an app is brought to the whole fleet.
    """

    check_ins_a_second: float
    api_cores_at_rest: float
    jobs_a_second: float
    api_cores_in_rollout: float
    api_processes: int
    broker_bytes: float
    broker_connections: int
    broker_core: float
    reconnect_seconds: float
    save_seconds: float
    database_bytes: float
    planning_seconds: float
    store_megabits: float


def need(devices: int, usage: Usage | None = None, shards: int = 1) -> Need:
    """What a fleet of this size needs.

    Args:
        devices: How many there are, all of them online.
        usage: What they do.
        shards: Brokers that they are spread over.
    """
    usage = usage or Usage()
    check_ins = devices / usage.check_in_interval_seconds
    jobs = devices / usage.rollout_seconds
    resting = check_ins * CHECK_IN.value / _KILO
    working = resting + jobs * JOB_API.value / _KILO
    at_broker = BROKER_USER.value + BROKER_CONNECTIONS.value + usage.waiting_jobs * WAITING_JOB.value
    kept = usage.jobs_a_year * (JOB_ROWS.value + REPORT_ROWS.value * min(1, usage.reports_kept_days / 365))
    at_shard = devices / shards
    return Need(
        check_ins_a_second=check_ins,
        api_cores_at_rest=resting,
        jobs_a_second=jobs,
        api_cores_in_rollout=working,
        api_processes=math.ceil(working / _BUSY_AT_MOST),
        broker_bytes=devices * at_broker * _KILO,
        broker_connections=2 * devices,
        broker_core=at_shard * IDLE_READ.value / _KILO,
        reconnect_seconds=at_shard * (2 * CONNECT.value + USERS_LOADED.value) / _KILO,
        save_seconds=at_shard * USERS_SAVED.value / _KILO,
        database_bytes=devices * kept * _KILO,
        planning_seconds=devices * PLAN_DEVICE.value / _KILO,
        store_megabits=jobs * usage.app_bytes / _MEGABIT_BYTES,
    )


def render_costs() -> str:
    """The table of costs."""
    rows = [f"| {cost.what} | {cost.value:g} {cost.unit} | {cost.source} |" for cost in COSTS]
    return "\n".join(["| what | cost | measured by |", "|---|---|---|", *rows])


def render_needs() -> str:
    """The table of what each fleet needs."""
    needs = [need(devices) for devices in FLEETS]
    lines = {
        "check-ins a second": [f"{one.check_ins_a_second:.1f}" for one in needs],
        "API at rest, cores": [f"{one.api_cores_at_rest:.2f}" for one in needs],
        "jobs a second, one app for all within 8 h": [f"{one.jobs_a_second:.1f}" for one in needs],
        "API meanwhile, cores": [f"{one.api_cores_in_rollout:.2f}" for one in needs],
        "API processes, half busy": [str(one.api_processes) for one in needs],
        "planning that app, s CPU": [f"{one.planning_seconds:,.0f}" for one in needs],
        "broker, connections": [f"{one.broker_connections:,}" for one in needs],
        "broker, memory": [_bytes(one.broker_bytes) for one in needs],
        "broker, cores at rest": [f"{one.broker_core:.2f}" for one in needs],
        "broker, all devices back after its restart, s": [f"{one.reconnect_seconds:,.1f}" for one in needs],
        "broker, silent while it saves its users, s": [f"{one.save_seconds:.2f}" for one in needs],
        "database, a year of 100 jobs a device": [_bytes(one.database_bytes) for one in needs],
        "store, 100 MB to all within 8 h": [_bits(one.store_megabits) for one in needs],
    }
    head = ["| |" + "".join(f" {devices:,} |" for devices in FLEETS), "|---|" + "---:|" * len(FLEETS)]
    return "\n".join([*head, *(f"| {name} | {' | '.join(cells)} |" for name, cells in lines.items())])


def with_tables(page: str) -> str:
    """The page with its tables written anew; each stands between two comments with its name."""
    for name, table in {"costs": render_costs(), "needs": render_needs()}.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}{table}\n{end}{after}"
    return page


def _bytes(count: float) -> str:
    return f"{count / _GIGA:,.1f} GB" if count >= _GIGA else f"{count / _MEGA:,.0f} MB"


def _bits(megabits: float) -> str:
    return f"{megabits / _KILO:,.1f} Gbit/s" if megabits >= _KILO else f"{megabits:,.0f} Mbit/s"


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
