"""Devices that were away for weeks: the real control plane, the real agent's engine, and one clock for both."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

import httpx
import pytest
from sqlalchemy import select

from contract.clock import SystemClock
from contract.jobs import JobRef, JobState
from contract.phases import Phase
from contract.report import Report
from contract.states import Intent, Outcome
from control.cancel_reasons import CancelReason
from control.database.tables import Job, ReportRow
from control.dispatch.admission import Admission
from control.dispatch.outbox import dispatch_due
from control.live_states import LIVE_STATES
from storage.intunewin.builder import build_package
from storage.objects.memory import MemoryObjectStore
from tests.control.plane import FACTS, Plane, SignedDevice
from tests.worker.rig import RecordingNotifier
from worker.activity import Activity
from worker.bootstrap import hear
from worker.content.keys import ContentKeys
from worker.content.source import ContentStream
from worker.device import Device
from worker.engine import Engine
from worker.folders import Folders
from worker.housekeeping.check_in import CheckInDuty, message_of
from worker.housekeeping.orders import OrdersDuty
from worker.judgement.machine import Machine
from worker.ledger.ledger import Ledger
from worker.platform.select import this_platform
from worker.processes.environment import Environment
from worker.progress import ProgressQueue
from worker.restart.boot import Boot
from worker.restart.restarts import Restarts
from worker.secrets.files import SecretFiles
from worker.trust import Trust
from worker.uplink.enrolment import enroll
from worker.uplink.http import HttpUplink

WEEK = timedelta(weeks=1)
_CHECK_IN_SECONDS = 600.0
#: Each installer writes down that it ran, then puts its app there or takes it away.
_INSTALL = 'echo "install $1" >> "$TARGET/runs"\ntouch "$TARGET/$1"\n'
_UNINSTALL = 'echo "uninstall $1" >> "$TARGET/runs"\nrm "$TARGET/$1"\n'


@dataclass(frozen=True)
class StoreSource:
    """Content as the control plane's own store serves it."""

    store: MemoryObjectStore

    @contextmanager
    def open(self, url: str, *, first: int) -> Iterator[ContentStream]:
        """See `ContentSource.open`."""
        yield ContentStream(first, iter([self.store.fetch(url, start=first)]))


@dataclass
class AwayDevice:
    """An agent whose queue the test keeps: while it is away, messages wait there."""

    plane: Plane
    client: httpx.Client
    folder: Path
    group: str
    queue: list[JobRef] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.target = self.folder / "target"
        self.target.mkdir(parents=True)
        identity = enroll(self.client, token=self.plane.token(group_id=self.group), name="desk-1", facts=FACTS)
        folders, clock = Folders(self.folder / "state"), self.plane.clock
        folders.create()
        ledger = Ledger(folders.ledger)
        environment = Environment(("TARGET",), {"PATH": "/usr/bin:/bin", "TARGET": str(self.target)})
        boot = Boot(id="first", began_at=clock.now())
        self.device = Device(
            identity=identity,
            folders=folders,
            ledger=ledger,
            clock=clock,
            # What is signed is judged by the time of the day of the test.
            uplink=HttpUplink(self.client, identity, SystemClock()),
            source=StoreSource(self.plane.store),
            keys=ContentKeys(identity),
            machine=Machine(this_platform(folders.state), folders.scripts, environment),
            environment=environment,
            restarts=Restarts(ledger.restarts, clock, lambda: boot),
            trust=Trust(identity.trusted_keys, ledger.trust),
            notifier=RecordingNotifier(),
            secret_files=SecretFiles(folders.state),
        )
        self.engine = Engine(self.device, ProgressQueue())

    def start(self) -> None:
        """Check in as an agent does that starts, and hear what was ordered meanwhile."""
        orders = OrdersDuty(self.device, Activity(self.device.clock))
        duty = CheckInDuty(
            self.device.uplink,
            partial(message_of, self.device),
            self.device.clock,
            Random(1),
            interval_seconds=_CHECK_IN_SECONDS,
            on_reply=partial(hear, self.device, orders),
        )
        duty.turn()

    def send(self) -> None:
        """Let the control plane send what is due into the queue."""
        self.queue += [ref for _, ref in self.plane.dispatch()]

    def work(self) -> None:
        """Run everything in the queue, the oldest first."""
        while self.queue:
            ref, phase = self.queue.pop(0), Phase.POLL
            while phase is not None:
                handover = self.engine.run(phase, ref)
                assert handover.retry_in_seconds is None
                assert handover.next_chain is None
                phase = handover.go_on_at  # type: ignore[assignment]  # None ends the loop

    def runs(self) -> list[str]:
        """What installers wrote down, in order."""
        record = self.target / "runs"
        return record.read_text(encoding="utf-8").splitlines() if record.exists() else []


@pytest.fixture
def away(plane: Plane, client: httpx.Client, tmp_path: Path) -> Iterator[AwayDevice]:
    source = tmp_path / "source"
    source.mkdir()
    (source / "install.sh").write_text(_INSTALL, encoding="utf-8")
    (source / "uninstall.sh").write_text(_UNINSTALL, encoding="utf-8")
    plane.package = build_package(source, "install.sh", tmp_path).path
    device = AwayDevice(plane, client, tmp_path / "device", plane.group("desks"))
    yield device
    device.device.ledger.close()


def _publish(away: AwayDevice, name: str, version: int = 1) -> None:
    """An app that is there when the file of its version is."""
    rule = {"type": "file", "path": str(away.target), "fileOrFolderName": f"{name}-{version}"}
    commands = {
        "installCommandLine": f"sh install.sh {name}-{version}",
        "uninstallCommandLine": f"sh uninstall.sh {name}-{version}",
    }
    away.plane.publish(name=name, detectionRules=[rule], **commands)


def _jobs(plane: Plane) -> list[Job]:
    with plane.services.database.snapshot() as session:
        return list(session.scalars(select(Job).order_by(Job.created_at)))


def test_a_device_that_was_away_for_five_weeks_voids_what_is_stale_and_does_what_is_due_in_order(
    away: AwayDevice,
) -> None:
    plane = away.plane
    _publish(away, "leaving")
    plane.assign("desks", app="leaving")
    away.start()
    plane.plan()
    away.send()
    away.work()
    assert away.runs() == ["install leaving-1"]

    # Two apps are sent as the device leaves; then everything changes, and one app is as wanted as before.
    for name in ("renewed", "kept"):
        _publish(away, name)
        plane.assign("desks", app=name)
    plane.plan()
    away.send()
    stale = set(away.queue)
    assert len(stale) == 2
    plane.clock.advance(WEEK)
    _publish(away, "renewed", version=2)
    plane.assign("desks", Intent.UNINSTALL, app="leaving")
    plane.plan()
    plane.clock.advance(3 * WEEK)
    _publish(away, "late")
    plane.assign("desks", app="late")
    plane.plan()
    plane.clock.advance(WEEK)
    plane.reconcile()
    away.send()
    reasons = {job.cancel_reason for job in _jobs(plane) if job.id in {ref.job_id for ref in stale}}
    assert reasons <= {CancelReason.SUPERSEDED, CancelReason.EXPIRED}
    assert CancelReason.EXPIRED in {job.cancel_reason for job in _jobs(plane)}

    away.start()
    away.send()
    away.work()

    # Nothing stale was installed, nothing twice; every app is as is wanted now, what was planned first done first.
    runs = away.runs()
    assert sorted(runs) == sorted(
        ["install leaving-1", "uninstall leaving-1", "install renewed-2", "install kept-1", "install late-1"]
    )
    weeks = [
        {"install leaving-1"},
        {"uninstall leaving-1", "install renewed-2"},
        {"install late-1"},
        {"install kept-1"},
    ]
    assert runs == sorted(runs, key=lambda run: next(week for week, done in enumerate(weeks) if run in done))
    apps = {path.name for path in away.target.iterdir()} - {"runs"}
    assert apps == {"renewed-2", "kept-1", "late-1"}
    assert not [job for job in _jobs(plane) if job.state in LIVE_STATES]
    with plane.services.database.snapshot() as session:
        outcomes = [Report.from_json(row.body).outcome for row in session.scalars(select(ReportRow))]
    assert Outcome.FAILED not in outcomes
    assert outcomes.count(Outcome.INSTALLED) == 4
    assert outcomes.count(Outcome.UNINSTALLED) == 1
    plane.plan()
    away.send()
    assert away.queue == []


def test_a_crowd_that_comes_back_is_served_bit_by_bit_and_checks_in_at_different_times_from_then_on(
    plane: Plane, client: httpx.Client, make_client: Callable[[Plane], httpx.Client]
) -> None:
    size, admission = 40, Admission(per_second=5, burst=10)
    group = plane.group("desks")
    devices = [SignedDevice(client, name=f"desk-{number}") for number in range(size)]
    token = plane.token(group_id=group, uses=size)
    for device in devices:
        assert device.enroll(token).is_success
    plane.publish()
    plane.assign("desks")
    plane.clock.advance(5 * WEEK)
    intervals = {device.check_in().json()["check_in_interval_seconds"] for device in devices}
    assert len(intervals) > size / 2
    sent = []
    while len(plane.publisher.sent) < size:
        sent.append(dispatch_due(plane.services.database, plane.publisher, plane.clock, size, admission))
        plane.clock.advance(timedelta(seconds=1))
    assert sent[0] == 10
    assert set(sent[1:]) == {5}
    assert {job.state for job in _jobs(plane)} == {JobState.SENT}
