"""Random lives of jobs on a real database: operators change their minds; devices come, go, fail, repeat themselves."""

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pydantic import SecretStr
from sqlalchemy import select

from contract.clock import ManualClock
from contract.jobs import JobRef, JobState
from contract.phases import PHASES, Phase
from contract.report import NextAction, WaitReason
from contract.states import Intent, Outcome
from contract.uplink import CheckIn, CheckInReason, ProgressBatch
from control.answers.job_filter import JobFilter
from control.answers.jobs import list_jobs
from control.answers.moment import this_moment
from control.answers.pages import PageRequest
from control.bootstrap import assemble, make_signer
from control.database.tables import Device, Job, OutboxEntry
from control.fleet.check_in import Arrival, CheckInTerms, check_in
from control.live_states import LIVE_STATES, WANTED_STATES
from control.security.content_keys import ensure_key_encryption_key
from control.security.file_policy_signer import ensure_policy_key, policy_key_folder
from control.security.nonces import ProcessNonces
from control.settings import ControlSettings
from control.shards.device_brokers import DeviceBrokers
from control.shards.hashing import FIRST_SHARD
from control.steering.actions import Wish, cancel_jobs, retry_jobs
from control.steering.decisions import Change
from control.steering.orders import standing_orders
from control.steering.selection import select_jobs
from storage.objects.memory import MemoryObjectStore
from tests.control.plane import (
    FACTS,
    MemoryDeviceQueues,
    Plane,
    RecordingBrokerUsers,
    RecordingQueue,
    failed_report_of,
    progress_of,
    report_of,
)
from tests.control.words import take_progress, take_report

DEVICES = 2


class LifeOfJobs(RuleBasedStateMachine):
    """One app, one group, two devices."""

    template: Path
    package: Path
    messages: Bundle[tuple[str, JobRef]] = Bundle("messages")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name)
        shutil.copy(self.template, path / "control.db")
        self.plane = plane_in(path, self.package)
        self.version = 0
        group_id = self.plane.group("desks")
        self.plane.publish()
        self.devices = [self.add_device(group_id) for _ in range(DEVICES)]

    def teardown(self) -> None:
        self.plane.services.database.close()
        self.folder.cleanup()

    def add_device(self, group_id: str) -> str:
        (device_id,) = self.plane.add_devices(group_id, ["desk"])
        return device_id

    @rule(intent=st.sampled_from([Intent.REQUIRED, Intent.UNINSTALL, Intent.AVAILABLE]))
    def assign(self, intent: Intent) -> None:
        self.plane.assign("desks", intent)
        self.plane.plan()

    @rule()
    def publish(self) -> None:
        self.version += 1
        self.plane.publish(displayVersion=str(self.version))
        self.plane.plan()

    @rule(target=messages)
    def dispatch(self) -> MultipleResults[tuple[str, JobRef]]:
        return multiple(*self.plane.dispatch())

    @rule(minutes=st.sampled_from([1, 9, 20, 60 * 24, 60 * 24 * 31]))
    def pass_time(self, minutes: int) -> None:
        self.plane.clock.advance(timedelta(minutes=minutes))

    @rule()
    def reconcile(self) -> None:
        self.plane.reconcile()

    @rule(emptied=st.booleans())
    def broker(self, emptied: bool) -> None:
        """The broker has lost what it held, or holds something again."""
        self.plane.inspector.emptied = set(self.devices) if emptied else set()

    @rule(force=st.booleans())
    def cancel(self, force: bool) -> None:
        for one in cancel_jobs(self.plane.services.database, self.newest(), self.wish(force)):
            assert one.verdict.refusal is None or one.state is JobState.FINISHED

    @rule(force=st.booleans())
    def retry(self, force: bool) -> None:
        before = {job.id: job.generation for job in self.jobs()}
        steered = retry_jobs(self.plane.services.database, self.newest(), self.wish(force))
        resent = {one.job_id for one in steered if one.verdict.change is Change.RESENT}
        assert {job.id for job in self.jobs() if job.generation > before[job.id]} == resent

    @rule(number=st.integers(0, DEVICES - 1))
    def let_go(self, number: int) -> None:
        """A device does what it is ordered, and says so."""
        with self.plane.services.database.transaction() as session:
            device = session.get_one(Device, self.devices[number])
            for order in standing_orders(session, device.id):
                ref = JobRef(job_id=order.job_id, generation=order.generation, attempt=9)
                confirmed = report_of(ref, device.id, outcome=Outcome.CANCELLED)
                take_report(session, device, confirmed, self.plane.clock.now())
            assert standing_orders(session, device.id) == ()

    def newest(self) -> list[str]:
        with self.plane.services.database.snapshot() as session:
            return select_jobs(session, JobFilter(group="desks"))

    def wish(self, force: bool) -> Wish:
        moment = this_moment(self.plane.services)
        return Wish(moment.now, moment.online_since, force=force)

    @rule(number=st.integers(0, DEVICES - 1))
    def check_in(self, number: int) -> None:
        services, now = self.plane.services, self.plane.clock.now()
        message = CheckIn(reason=CheckInReason.MAINTENANCE_TIMER, facts=FACTS)
        with services.database.transaction() as session:
            terms = CheckInTerms(services.settings.check_in_interval, services.settings.online_window, {})
            arrivals = [Arrival(self.devices[number], message)]
            check_in(session, arrivals, terms, trusted_keys_version=services.trust.version(session), now=now)
            planned = select(Job.id, Job.generation).where(
                Job.device_id == self.devices[number], Job.state == JobState.PLANNED
            )
            queued = set(session.execute(select(OutboxEntry.job_id, OutboxEntry.generation)).all())
            assert set(session.execute(planned).all()) <= queued, "nothing that is planned is left lying"

    @rule(message=messages, attempt=st.integers(1, 3), sequence=st.integers(1, 5), phase=st.sampled_from(PHASES))
    def progress(self, message: tuple[str, JobRef], attempt: int, sequence: int, phase: Phase) -> None:
        device_id, ref = message
        batch = ProgressBatch(items=(progress_of(ref.model_copy(update={"attempt": attempt}), phase, sequence),))
        with self.plane.services.database.transaction() as session:
            take_progress(session, session.get_one(Device, device_id), batch, self.plane.clock.now())

    @rule(message=messages, attempt=st.integers(1, 3), how=st.sampled_from(["installed", "failed", "retry", "grs"]))
    def report(self, message: tuple[str, JobRef], attempt: int, how: str) -> None:
        device_id, sent = message
        ref = sent.model_copy(update={"attempt": attempt})
        report = report_of(ref, device_id)
        if how != "installed":
            report = failed_report_of(ref, device_id, next_action=self.next_action(how, ref))
        with self.plane.services.database.transaction() as session:
            take_report(session, session.get_one(Device, device_id), report, self.plane.clock.now())

    def next_action(self, how: str, ref: JobRef) -> NextAction | None:
        now = self.plane.clock.now()
        later = now + timedelta(minutes=5)
        if how == "retry":
            reason = WaitReason.RETRY_INTERVAL
            return NextAction(since=now, at=later, reason=reason, generation=ref.generation, attempt=ref.attempt + 1)
        if how == "grs":
            return NextAction(since=now, at=later, reason=WaitReason.GRS, generation=ref.generation + 1, attempt=1)
        return None

    def jobs(self) -> list[Job]:
        with self.plane.services.database.snapshot() as session:
            return list(session.scalars(select(Job)))

    @invariant()
    def a_device_has_one_live_job_at_most(self) -> None:
        live = [job.device_id for job in self.jobs() if job.state in LIVE_STATES]
        assert len(live) == len(set(live))

    @invariant()
    def whoever_waits_says_for_what_and_until_when(self) -> None:
        for job in self.jobs():
            waiting = job.state is JobState.WAITING
            assert (job.next_action_at is not None) == (job.next_action_reason is not None) == waiting

    @invariant()
    def what_is_over_has_its_time(self) -> None:
        for job in self.jobs():
            assert (job.finished_at is not None) == (job.state not in LIVE_STATES)

    @invariant()
    def whatever_is_not_over_says_what_it_waits_for(self) -> None:
        with self.plane.services.database.snapshot() as session:
            for job in list_jobs(session, JobFilter(), this_moment(self.plane.services), PageRequest()).items:
                live = job.state in LIVE_STATES
                assert (job.waiting_for is not None) == live
                assert bool(job.next_action) >= live

    @invariant()
    def an_order_is_never_about_a_job_that_is_wanted(self) -> None:
        wanted = {job.id for job in self.jobs() if job.state in WANTED_STATES}
        with self.plane.services.database.snapshot() as session:
            ordered = {order.job_id for device in self.devices for order in standing_orders(session, device)}
        assert not wanted & ordered

    @invariant()
    def what_is_void_has_its_reason(self) -> None:
        for job in self.jobs():
            void = job.state in {JobState.CANCELLED, JobState.CANCELLING}
            assert (job.cancel_reason is not None) == void

    @precondition(lambda self: self.plane.publisher.sent)
    @invariant()
    def no_message_is_of_a_generation_that_never_was(self) -> None:
        generations = {job.id: job.generation for job in self.jobs()}
        assert all(ref.generation <= generations[ref.job_id] for _, ref in self.plane.publisher.sent)


def plane_in(folder: Path, package: Path) -> Plane:
    configured = ControlSettings(
        database_url=SecretStr(f"sqlite:///{folder}/control.db"),
        broker_url=SecretStr("redis://broker.example"),
        s3_endpoint="http://store.example",
        s3_access_key="key",
        s3_secret_key=SecretStr("secret"),
        state_dir=folder / "state",
        check_in_interval_seconds=600,
        online_slack_seconds=60,
    )
    ensure_policy_key(policy_key_folder(configured.state_dir))
    ensure_key_encryption_key(configured.state_dir)
    clock, store = ManualClock(datetime.now(UTC)), MemoryObjectStore()
    users, queue = RecordingBrokerUsers(), RecordingQueue()
    signer = make_signer(configured)
    services = assemble(
        configured,
        clock=clock,
        store=store,
        signer=signer,
        brokers=DeviceBrokers({FIRST_SHARD: users}, {FIRST_SHARD: MemoryDeviceQueues()}),
        nonces=ProcessNonces(clock),
        queue=queue,
    )
    plane = Plane(services, clock, store, users, queue, package)
    plane.publish_keys()
    return plane


@pytest.mark.parametrize("examples", [25, pytest.param(300, marks=[pytest.mark.long, pytest.mark.timeout(1200)])])
def test_whatever_happens_the_rules_of_a_job_hold(migrated_sqlite: Path, package: Path, examples: int) -> None:
    machine = type("Machine", (LifeOfJobs,), {"template": migrated_sqlite, "package": package})
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    chosen = settings(max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=slow)
    run_state_machine_as_test(machine, settings=chosen)
