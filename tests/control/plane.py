"""A control plane of real parts except for broker and store, and a device that speaks to it as real ones do."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contract.clock import ManualClock
from contract.error_codes import ErrorCode
from contract.errors import UnavailableError
from contract.http_signatures import SignableRequest, sign_request
from contract.jobs import JobRef
from contract.phases import Phase
from contract.queues import ControlTask
from contract.report import ErrorReport, NextAction, PhaseOutcome, PhaseRecord, Progress, Report, WaitReason
from contract.states import (
    Applicability,
    ComplianceState,
    DesiredState,
    DetectionState,
    EnforcementState,
    Intent,
    Outcome,
)
from contract.trusted_keys import PolicyKey
from contract.uplink import (
    CHECK_IN_PATH,
    ENROLL_PATH,
    ORDERS_PATH,
    PROGRESS_PATH,
    REPORTS_PATH,
    CheckIn,
    CheckInReason,
    DeviceFacts,
    EnrollmentReply,
    EnrollmentRequest,
    JobOrder,
    OrdersReply,
    ProgressBatch,
    proof_message,
)
from control.bootstrap import make_signer
from control.catalog.assignments import assign
from control.catalog.manifest import Manifest
from control.catalog.revisions import add_revision, find_app
from control.database.tables import Device
from control.dispatch.outbox import dispatch_due
from control.dispatch.ports import AddressedJob
from control.fleet.admission import Admission
from control.fleet.broker_users import BrokerUsers
from control.fleet.enrollment import Enrollment
from control.fleet.enrollment_tokens import Place, create_enrollment_token
from control.fleet.groups import add_member, create_group
from control.services import Services
from control.shards.device_queues import Messages
from control.shards.hashing import FIRST_SHARD
from control.work import plan_now, reconcile_now
from storage.objects.memory import MemoryObjectStore
from tests.support.trust import Roots

FACTS = DeviceFacts(
    hostname="desk-1",
    os_name="linux",
    os_version="12",
    architecture="x64",
    agent_version="0.1.0",
    processors=2,
    memory_in_mb=2048,
    free_disk_space_in_mb=10_000,
)


def manifest_data(**changes: Any) -> dict[str, Any]:
    """A small valid manifest as a packager writes it."""
    return {
        "name": "Editor",
        "displayVersion": "1.0",
        "publisher": "Example",
        "installCommandLine": "sh install.sh",
        "uninstallCommandLine": "sh uninstall.sh",
        "detectionRules": [{"type": "file", "path": "/opt/editor", "fileOrFolderName": "bin"}],
        **changes,
    }


@dataclass
class RecordingBrokerUsers:
    """Broker users that are only noted; `down` makes it a broker that does not answer."""

    secrets: dict[str, str] = field(default_factory=dict)
    saved: dict[str, str] = field(default_factory=dict)
    down: bool = False

    def put(self, secrets: Mapping[str, str]) -> None:
        self._check()
        self.secrets.update(secrets)

    def save(self, hashed_secrets: Mapping[str, str]) -> None:
        self._check()
        self.saved.update(hashed_secrets)

    def remove(self, *device_ids: str) -> None:
        self._check()
        for device_id in device_ids:
            self.secrets.pop(device_id, None)

    def renew(self, hashed_secrets: Mapping[str, str]) -> None:
        self._check()
        self.secrets = {id_: secret for id_, secret in self.secrets.items() if id_ in hashed_secrets}

    def refused(self) -> Mapping[str, int]:
        self._check()
        return {"auth": 2, "key": 3}

    def _check(self) -> None:
        if self.down:
            raise UnavailableError(ErrorCode.BROKER_UNAVAILABLE)


@dataclass
class MemoryDeviceQueues:
    """Devices' queues in memory; what was taken is not told apart."""

    lists: dict[str, list[bytes]] = field(default_factory=dict)

    def contents(self, device_ids: Sequence[str]) -> Messages:
        return {device_id: list(self.lists[device_id]) for device_id in device_ids if self.lists.get(device_id)}

    def put_first(self, messages: Messages) -> None:
        for device_id, raws in messages.items():
            there = self.lists.setdefault(device_id, [])
            there += [raw for raw in raws if raw not in there]

    def drop(self, messages: Messages) -> None:
        for device_id, raws in messages.items():
            self.lists[device_id] = [raw for raw in self.lists.get(device_id, []) if raw not in raws]


@dataclass
class RecordingQueue:
    """Notes what the control plane's workers were asked for."""

    asked: list[ControlTask] = field(default_factory=list)

    def request(self, task: ControlTask) -> None:
        self.asked.append(task)


@dataclass
class RecordingPublisher:
    """Notes what was sent; it breaks off once `capacity` messages are out."""

    sent: list[tuple[str, JobRef]] = field(default_factory=list)
    capacity: int | None = None

    def publish(self, jobs: Sequence[AddressedJob]) -> None:
        for job in jobs:
            if self.capacity is not None and len(self.sent) >= self.capacity:
                raise UnavailableError(ErrorCode.BROKER_UNAVAILABLE)
            self.sent.append((job.device_id, job.ref))


@dataclass
class RecordingInspector:
    """A broker that holds nothing for the devices in `emptied`; `down` makes it one that does not answer."""

    emptied: set[str] = field(default_factory=set)
    down: bool = False

    def without_messages(self, device_ids: Collection[str]) -> frozenset[str]:
        if self.down:
            raise UnavailableError(ErrorCode.BROKER_UNAVAILABLE)
        return frozenset(self.emptied.intersection(device_ids))


@dataclass
class RecordingCaller:
    """Notes who was called; `down` makes it a broker that does not answer."""

    called: list[str] = field(default_factory=list)
    down: bool = False

    def call(self, device_ids: Collection[str]) -> None:
        if self.down:
            raise UnavailableError(ErrorCode.BROKER_UNAVAILABLE)
        self.called += device_ids


@dataclass
class Plane:
    """A control plane under test."""

    services: Services
    clock: ManualClock
    store: MemoryObjectStore
    broker_users: RecordingBrokerUsers
    queue: RecordingQueue
    package: Path
    roots: Roots = field(default_factory=Roots)
    publisher: RecordingPublisher = field(default_factory=RecordingPublisher)
    inspector: RecordingInspector = field(default_factory=RecordingInspector)

    def use_broker_users(self, users: BrokerUsers) -> Enrollment:
        """Have devices let in at this broker from now on."""
        services = self.services
        enrollment = Enrollment({FIRST_SHARD: users}, services.trust, services.audit, services.enrollment.terms)
        admission = Admission(services.database, enrollment, services.gate.devices, self.clock)
        self.services = replace(services, enrollment=enrollment, admission=admission)
        return enrollment

    def publish_keys(self, policy: Mapping[str, PolicyKey] | None = None, **changes: Any) -> int:
        """Publish the next version of the trusted keys, with the signer's keys unless others are named."""
        if policy is None:
            held = make_signer(self.services.settings).public_keys()
            policy = {key_id: PolicyKey(public_key=raw) for key_id, raw in held.items()}
        with self.services.database.transaction() as session:
            number = self.services.trust.version(session) + 1
            signed = self.roots.signed(number, policy, **changes)
            return self.services.trust.add(session, signed, self.clock.now()).version

    def publish(self, **changes: Any) -> int:
        """Publish a revision of the small manifest; its number."""
        package = self.services.packages.take(self.package)
        manifest = Manifest.model_validate(manifest_data(**changes))
        with self.services.database.transaction() as session:
            revision, _ = add_revision(
                session, manifest, package.digest, policies=self.services.policies, now=self.clock.now()
            )
        return revision.number

    def group(self, name: str) -> str:
        with self.services.database.transaction() as session:
            return create_group(session, name, self.clock.now()).id

    def add_devices(self, group_id: str, names: Sequence[str]) -> list[str]:
        """Put devices that are rows only into a group, online and with the usual facts; their ids."""
        now = self.clock.now()
        rows = [
            Device(
                id=str(uuid4()),
                name=name,
                signing_key=uuid4().bytes,
                sealing_key=b"",
                facts=FACTS.model_dump(mode="json"),
                enrolled_with="",
                enrolled_at=now,
                last_seen_at=now,
            )
            for name in names
        ]
        with self.services.database.transaction() as session:
            session.add_all(rows)
            session.flush()
            for row in rows:
                add_member(session, group_id, row.id, now)
            return [row.id for row in rows]

    def assign(self, group: str, intent: Intent = Intent.REQUIRED, app: str = "Editor") -> None:
        with self.services.database.transaction() as session:
            assign(session, app, group, intent, self.clock.now())

    def token(self, *, group_id: str | None = None, uses: int = 1, lifetime: timedelta = timedelta(hours=1)) -> str:
        with self.services.database.transaction() as session:
            token, _ = create_enrollment_token(
                session, Place(group_id), uses=uses, lifetime=lifetime, created_by="test", now=self.clock.now()
            )
        return token

    def app_id(self, name: str = "Editor") -> str:
        with self.services.database.snapshot() as session:
            return find_app(session, name).id

    def plan(self) -> None:
        plan_now(self.services)

    def reconcile(self) -> None:
        reconcile_now(self.services, self.inspector)

    def dispatch(self, limit: int = 1000) -> list[tuple[str, JobRef]]:
        """Send what is due; what was sent by this call."""
        before = len(self.publisher.sent)
        dispatch_due(self.services.database, self.publisher, self.clock, limit)
        return self.publisher.sent[before:]


@dataclass
class SignedDevice:
    """A device with keys of its own."""

    client: httpx.Client
    name: str = "desk-1"
    device_id: str = ""
    reply: EnrollmentReply | None = None
    signer: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    unsealer: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)

    def enrollment(self, token: str) -> EnrollmentRequest:
        signing_key = self.signer.public_key().public_bytes_raw()
        sealing_key = self.unsealer.public_key().public_bytes_raw()
        proof = self.signer.sign(proof_message(token, self.name, signing_key, sealing_key))
        return EnrollmentRequest(
            token=token, name=self.name, signing_key=signing_key, sealing_key=sealing_key, proof=proof, facts=FACTS
        )

    def enroll(self, token: str) -> httpx.Response:
        response = self.client.post(ENROLL_PATH, content=self.enrollment(token).to_json())
        if response.is_success:
            self.reply = EnrollmentReply.from_json(response.content)
            self.device_id = self.reply.device_id
        return response

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        request = self.client.build_request(method, path, content=body, headers=headers)
        signable = SignableRequest(method, str(request.url), request.headers)
        sign_request(signable, body, key=self.signer, key_id=self.device_id, now=datetime.now(UTC))
        return self.client.send(request)

    def stay_online(self, clock: ManualClock, span: timedelta) -> None:
        """Let time pass, checking in every five minutes and at the end."""
        while span > timedelta():
            clock.advance(min(span, timedelta(minutes=5)))
            span -= timedelta(minutes=5)
            self.check_in()

    def check_in(self, remembers_until: datetime | None = None) -> httpx.Response:
        message = CheckIn(reason=CheckInReason.AGENT_RESTART, facts=FACTS, remembers_until=remembers_until)
        return self.request("POST", CHECK_IN_PATH, message.to_json().encode())

    def orders(self) -> tuple[JobOrder, ...]:
        return OrdersReply.from_json(self.request("GET", ORDERS_PATH).content).orders

    def progress(self, *items: Progress) -> httpx.Response:
        return self.request("POST", PROGRESS_PATH, ProgressBatch(items=items).to_json().encode())

    def report(self, report: Report) -> httpx.Response:
        return self.request("POST", REPORTS_PATH, report.to_json().encode())


MOMENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def phase_record(phase: Phase = Phase.INSTALL, **changes: Any) -> PhaseRecord:
    fields: dict[str, Any] = {
        "phase": phase,
        "outcome": PhaseOutcome.DONE,
        "started_at": MOMENT,
        "ended_at": MOMENT + timedelta(seconds=2),
        "duration_seconds": 2.0,
    }
    return PhaseRecord(**{**fields, **changes})


def progress_of(ref: JobRef, phase: Phase = Phase.DOWNLOAD, sequence: int = 1, **changes: Any) -> Progress:
    fields: dict[str, Any] = {**ref.model_dump(), "sequence": sequence, "phase": phase, "at": MOMENT}
    return Progress(**{**fields, **changes})


def report_of(ref: JobRef, device_id: str = str(uuid4()), **changes: Any) -> Report:
    """A report that says installed, unless told otherwise."""
    fields: dict[str, Any] = {
        **ref.model_dump(),
        "device_id": device_id,
        "app_id": "app",
        "app_name": "Editor",
        "revision": 1,
        "intent": Intent.REQUIRED,
        "outcome": Outcome.INSTALLED,
        "desired_state": DesiredState.PRESENT,
        "detection_state": DetectionState.DETECTED,
        "applicability": Applicability.APPLICABLE,
        "compliance_state": ComplianceState.INSTALLED,
        "enforcement_state": EnforcementState.SUCCESS,
        "raw_exit_code": 0,
        "bytes_downloaded": 1000,
        "phases": (phase_record(),),
        "started_at": MOMENT,
        "ended_at": MOMENT + timedelta(seconds=5),
    }
    return Report(**{**fields, **changes})


def failed_report_of(ref: JobRef, device_id: str, *, next_action: NextAction | None, **changes: Any) -> Report:
    error = ErrorReport(
        code="installer-failed", number=0x80070007, phase=Phase.INSTALL, detail="exit code 7", raw_exit_code=7
    )
    return report_of(
        ref,
        device_id,
        outcome=Outcome.FAILED,
        enforcement_state=EnforcementState.ERROR,
        error=error,
        raw_exit_code=7,
        next_action=next_action,
        **changes,
    )


def retry_at(moment: datetime, ref: JobRef) -> NextAction:
    return NextAction(
        since=moment - timedelta(days=1),
        at=moment,
        reason=WaitReason.RETRY_INTERVAL,
        generation=ref.generation,
        attempt=ref.attempt + 1,
    )
