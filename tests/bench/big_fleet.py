"""A large database made quickly: devices, apps, and jobs of years, written in bulk as they would have come to be."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from random import Random
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, case, func, insert, select, text

from contract.jobs import JobRef, JobState
from contract.phases import Phase
from contract.report import PhaseOutcome, WaitReason
from contract.states import EnforcementState, Intent, Outcome
from control.catalog.manifest import Manifest
from control.database.session import Database
from control.database.statistics import refresh_statistics
from control.database.tables import (
    App,
    Assignment,
    Device,
    Group,
    GroupMember,
    GroupTally,
    Job,
    JobTally,
    OutboxEntry,
    Package,
    PhaseRow,
    ReportRow,
    Revision,
    Rollout,
    RolloutDevice,
    RolloutEvent,
    RolloutRing,
    RolloutTally,
)
from tests.bench import big_rollouts
from tests.bench.bulk_load import Load, bulk_load
from tests.control.plane import FACTS, manifest_data, report_of

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
#: The group that every device is in, and one that few are in.
EVERYONE: Final = "everyone"
FEW: Final = "few"

_FEW_DEVICES = 200
_DIGEST = "0" * 64
_FIRST = 1
_ID_BYTES = 16
_BETWEEN_JOBS = timedelta(days=30)
#: Every so many jobs have records of their phases, a report and an entry in the outbox.
_WITH_PHASES = 20
_PHASES = (Phase.DETECT, Phase.DOWNLOAD, Phase.INSTALL, Phase.CONFIRM)


@dataclass(frozen=True)
class Size:
    """How large the fleet is: apps that each device has, jobs that each device has had for each of them.

    Attributes:
        has_rollouts: Every device has the first two apps, and second revisions of these are being rolled out.
    """

    devices: int = 100_000
    apps: int = 10
    apps_of_device: int = 5
    jobs_of_app: int = 2
    has_rollouts: bool = False

    @property
    def jobs(self) -> int:
        """All jobs there are, the newest and the others."""
        return self.devices * self.apps_of_device * self.jobs_of_app

    def apps_of(self, number: int) -> tuple[int, ...]:
        """The numbers of the apps of a device."""
        common = len(self.rollouts)
        others = range(self.apps_of_device - common)
        return (*range(common), *(common + (number + offset) % (self.apps - common) for offset in others))

    @property
    def rollouts(self) -> tuple[str, ...]:
        """The rollouts under way, in the order of the apps that they bring."""
        return big_rollouts.UNDER_WAY if self.has_rollouts else ()

    def revision_of(self, app: int, device: int) -> int:
        """The revision that the newest job of a device is for."""
        is_reached = app < len(self.rollouts) and big_rollouts.is_admitted(self.rollouts[app], device)
        return big_rollouts.REVISION if is_reached else _FIRST


FULL: Final = Size(has_rollouts=True)
QUICK: Final = Size(devices=2_000, has_rollouts=True)


def fill(database: Database, size: Size) -> None:
    """Write the fleet into a migrated and empty database, and have its statistics made."""
    random = Random(size.devices)
    with bulk_load(database) as load:
        load(Package, iter([_package()]))
        load(App, (_app(number) for number in range(size.apps)))
        load(Revision, _revisions(size))
        load(Group, (_group(name) for name in (EVERYONE, FEW)))
        load(Assignment, (_assignment(number, size) for number in range(size.apps)))
        load(Device, (_device(number, random) for number in range(size.devices)))
        load(GroupMember, _members(size))
        load(Job, _jobs(size, random))
        load(OutboxEntry, _sent(size))
        load(PhaseRow, _phases(size))
        load(ReportRow, _reports(size))
        if size.has_rollouts:
            _load_rollouts(load, size)
    with database.transaction() as session:
        tallies = ((JobTally, _tallies()), (GroupTally, _group_tallies()), (RolloutTally, big_rollouts.tallies()))
        for kind, rows in tallies:
            session.execute(insert(kind).from_select([str(column.key) for column in rows.selected_columns], rows))
        session.execute(big_rollouts.noted())
    _look_over(database)


def _load_rollouts(load: Load, size: Size) -> None:
    apps = tuple(app_id(number) for number in range(len(size.rollouts)))
    load(Rollout, big_rollouts.rollouts(apps, app_id(size.apps - 1)))
    load(RolloutRing, big_rollouts.rings())
    load(RolloutDevice, big_rollouts.rollout_devices([device_id(number) for number in range(size.devices)]))
    load(RolloutEvent, big_rollouts.rollout_events())


def _tallies() -> Select[*tuple[Any, ...]]:
    """The tallies, as the jobs say that they were counted."""
    facts = (Job.state, Job.outcome, Job.next_action_reason, Job.error_number, Job.error_code)
    phase = case((Job.error_code.is_not(None), Job.phase)).label("phase")
    place = (Job.app_id, Job.tallied_as.label("place"), *facts, phase)
    return select(*place, func.count().label("jobs")).where(Job.is_newest).group_by(*place)


def _group_tallies() -> Select[*tuple[Any, ...]]:
    place = (GroupMember.group_id, Job.app_id, Job.tallied_as.label("place"))
    jobs = select(*place, func.count().label("jobs")).join(Job, Job.device_id == GroupMember.device_id)
    return jobs.where(Job.is_newest).group_by(*place)


def _look_over(database: Database) -> None:
    """Make the statistics, and on PostgreSQL what lets it answer from an index alone; a server does that by itself."""
    with database.transaction() as session:
        refresh_statistics(session)
        if session.get_bind().dialect.name == "sqlite":
            return
    with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))


def app_name(number: int) -> str:
    """The name of one of the apps."""
    return f"app-{number}"


def device_name(number: int) -> str:
    """The name of one of the devices."""
    return f"desk-{number:06}"


@cache
def device_id(number: int) -> str:
    """The id of one of the devices; their order is not that of the names."""
    return _id(1, number)


def place_in_list(number: int) -> tuple[str, str, str, str]:
    """Where one of the devices begins in a list of jobs."""
    return device_name(number), device_id(number), "", ""


def job_id(number: int) -> str:
    """The id of one of the jobs."""
    return _id(2, number)


@cache
def app_id(number: int) -> str:
    """The id of one of the apps."""
    return _id(3, number)


def _id(kind: int, number: int) -> str:
    # As scattered as real ones, and the same in each run.
    return str(UUID(bytes=blake2b(b"%d %d" % (kind, number), digest_size=_ID_BYTES).digest()))


def _package() -> dict[str, Any]:
    binary = dict.fromkeys(("plain_digest", "mac", "mac_key", "initialization_vector", "wrapped_key"), b"")
    named = {"name": "package", "setup_file": "install.sh", "created_at": NOW}
    return {"digest": _DIGEST, "size": 1, "plain_size": 1, **binary, **named}


def _app(number: int) -> dict[str, Any]:
    return {"id": app_id(number), "name": app_name(number), "created_at": NOW}


def _revisions(size: Size) -> Iterator[dict[str, Any]]:
    yield from (_revision(number, _FIRST) for number in range(size.apps))
    yield from (_revision(number, big_rollouts.REVISION) for number in range(len(size.rollouts)))


def _revision(app: int, number: int) -> dict[str, Any]:
    manifest = Manifest.model_validate(manifest_data(name=app_name(app))).model_dump_json(by_alias=True)
    about = {"manifest": manifest, "max_run_time_seconds": 3600.0, "created_at": NOW}
    return {"app_id": app_id(app), "number": number, "package_digest": _DIGEST, **about}


def _group(name: str) -> dict[str, Any]:
    return {"id": name, "name": name, "created_at": NOW}


def _assignment(number: int, size: Size) -> dict[str, Any]:
    is_required = number < len(size.rollouts)
    group, intent = (EVERYONE, Intent.REQUIRED) if is_required else (FEW, Intent.AVAILABLE)
    who = {"app_id": app_id(number), "group_id": group, "intent": intent}
    return {"id": _id(4, number), **who, "created_at": NOW}


def _device(number: int, random: Random) -> dict[str, Any]:
    return {
        "id": device_id(number),
        "name": device_name(number),
        "signing_key": number.to_bytes(32),
        "sealing_key": bytes(32),
        "facts": FACTS.model_dump(mode="json"),
        "enrolled_with": _DIGEST,
        "enrolled_at": NOW - 100 * _BETWEEN_JOBS,
        "last_seen_at": NOW - timedelta(hours=random.choice((0, 0, 0, 48))),
    }


def _members(size: Size) -> Iterator[dict[str, Any]]:
    for number in range(size.devices):
        yield {"group_id": EVERYONE, "device_id": device_id(number), "added_at": NOW, "is_tallied": True}
    for number in range(min(_FEW_DEVICES, size.devices)):
        yield {"group_id": FEW, "device_id": device_id(number), "added_at": NOW, "is_tallied": True}


def _jobs(size: Size, random: Random) -> Iterator[dict[str, Any]]:
    number = 0
    for device in range(size.devices):
        for app in size.apps_of(device):
            for age in reversed(range(size.jobs_of_app)):
                standing = _standing(random, is_over=age > 0)
                yield {
                    "id": job_id(number),
                    "device_id": device_id(device),
                    "app_id": app_id(app),
                    "revision": size.revision_of(app, device) if age == 0 else _FIRST,
                    "intent": Intent.REQUIRED,
                    "is_newest": age == 0,
                    "created_at": NOW - (age + 1) * _BETWEEN_JOBS,
                    "sent_at": NOW - (age + 1) * _BETWEEN_JOBS,
                    "changed_at": NOW - age * _BETWEEN_JOBS - timedelta(seconds=random.random()),
                    "tallied_as": _place(standing) if age == 0 else "",
                    **standing,
                }
                number += 1


def _standing(random: Random, *, is_over: bool) -> dict[str, Any]:
    """How a job stands: most are done, some of the newest have failed, few are under way."""
    chance = random.random()
    if is_over or chance > _FAILED:
        return _DONE
    if chance < _UNDER_WAY:
        return {**_DONE, "state": JobState.RUNNING, "outcome": None, "enforcement_state": None, "phase": Phase.INSTALL}
    return {**_DONE, **_ERROR, "error_number": random.randrange(_ERRORS)}


def _place(standing: dict[str, Any]) -> str:
    """See `control.database.tables.job_place`."""
    named = [standing[name] for name in ("state", "outcome", "next_action_reason")]
    if standing["error_code"] is not None:
        named += [standing[name] for name in ("phase", "error_number", "error_code")]
    else:
        named.append("")
    return "/".join("" if one is None else str(one) for one in named)


_UNDER_WAY = 0.001
_FAILED = 0.02
_ERRORS = 20
_DONE: Final[dict[str, Any]] = {
    "state": JobState.FINISHED,
    "outcome": Outcome.INSTALLED,
    "enforcement_state": EnforcementState.SUCCESS,
    "phase": Phase.REPORT,
    "next_action_reason": None,
    "error_code": None,
    "error_number": None,
}
_ERROR: Final[dict[str, Any]] = {
    "state": JobState.WAITING,
    "outcome": Outcome.FAILED,
    "enforcement_state": EnforcementState.ERROR,
    "next_action_reason": WaitReason.GRS,
    "error_code": "installer-failed",
}


def _sent(size: Size) -> Iterator[dict[str, Any]]:
    for number in range(0, size.jobs, _WITH_PHASES):
        yield {"job_id": job_id(number), "generation": 1, "created_at": NOW, "sent_at": NOW}


def _reports(size: Size) -> Iterator[dict[str, Any]]:
    # What is in it does not matter, how long it is does.
    body = report_of(JobRef(job_id=job_id(0), generation=1, attempt=1)).to_json()
    for number in range(0, size.jobs, _WITH_PHASES):
        key = {"job_id": job_id(number), "generation": 1, "attempt": 1, "sequence": 1}
        yield {**key, "body": body, "received_at": NOW}


def _phases(size: Size) -> Iterator[dict[str, Any]]:
    for number in range(0, size.jobs, _WITH_PHASES):
        for place, phase in enumerate(_PHASES):
            began = NOW - timedelta(days=1) + timedelta(seconds=place)
            yield {
                "job_id": job_id(number),
                "generation": 1,
                "attempt": 1,
                "phase": phase,
                "outcome": PhaseOutcome.DONE,
                "started_at": began,
                "ended_at": began + timedelta(seconds=1),
                "duration_seconds": 1.0,
                "bytes_done": 0,
                "summary": "",
            }
