"""A device of real parts on a folder of its own; control plane and content store are the ones that ship for tests."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contract.clock import ManualClock
from contract.envelopes import sign
from contract.jobs import JobRef
from contract.phases import Phase
from contract.policy import Commands, ContentRef, Limits, Policy
from contract.rules import FileRule
from contract.sealing import seal
from contract.states import Intent
from contract.uplink import ContentInfo, content_key_context
from storage.intunewin.builder import build_package
from storage.intunewin.reader import open_blob, read_metadata
from tests.support.trust import Roots, policy_keys
from worker.content.keys import ContentKeys
from worker.content.memory import MemoryContentSource
from worker.device import Device
from worker.engine import Engine
from worker.folders import Folders
from worker.handover import Handover
from worker.identity import Identity
from worker.judgement.machine import Machine
from worker.ledger.ledger import Ledger
from worker.notices.notice import Notice
from worker.phases.context import PhaseFunction
from worker.phases.table import PHASE_FUNCTIONS
from worker.platform.select import this_platform
from worker.processes.environment import Environment
from worker.progress import ProgressQueue
from worker.restart.boot import Boot
from worker.restart.restarts import Restarts
from worker.secrets.files import SecretFiles
from worker.trust import Trust
from worker.uplink.memory import MemoryUplink

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "memory://content"


@dataclass(frozen=True)
class PackedContent:
    """The content of a package as the control plane publishes it."""

    blob: bytes
    key: bytes
    ref: ContentRef


def pack(source: Path, output: Path) -> PackedContent:
    """Build a real package from a folder that holds `install.sh`."""
    path = build_package(source, "install.sh", output).path
    metadata = read_metadata(path)
    with open_blob(path) as opened:
        blob = opened.stream.read()
    encryption = metadata.encryption
    ref = ContentRef(
        digest=hashlib.sha256(blob).hexdigest(),
        size=len(blob),
        plain_size=metadata.unencrypted_content_size,
        plain_digest=encryption.file_digest,
        mac=encryption.mac,
        mac_key=encryption.mac_key,
        initialization_vector=encryption.initialization_vector,
    )
    return PackedContent(blob, encryption.encryption_key, ref)


@dataclass
class RecordingNotifier:
    """Keeps what it is told to show."""

    notices: list[Notice] = field(default_factory=list)

    def notify(self, notice: Notice) -> None:
        """See `Notifier.notify`."""
        self.notices.append(notice)

    @property
    def texts(self) -> list[str]:
        """The texts of all notices."""
        return [notice.text for notice in self.notices]


@dataclass
class Rig:
    """One device, its control plane, and what is published there."""

    folder: Path
    content: PackedContent
    policy_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    roots: Roots = field(default_factory=Roots)
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    uplink: MemoryUplink = field(default_factory=MemoryUplink)
    source: MemoryContentSource = field(default_factory=MemoryContentSource)
    notifier: RecordingNotifier = field(default_factory=RecordingNotifier)
    boot: Boot = field(default_factory=lambda: Boot(id="first", began_at=START))
    functions: Mapping[Phase, PhaseFunction] = field(default_factory=lambda: PHASE_FUNCTIONS)

    def __post_init__(self) -> None:
        self.target.mkdir(parents=True)
        self._sealing_key = X25519PrivateKey.generate()
        self.identity = Identity(
            device_id=str(uuid4()),
            name="desk-1",
            control_plane_url="http://127.0.0.1:1",
            signing_key=Ed25519PrivateKey.generate().private_bytes_raw(),
            sealing_key=self._sealing_key.private_bytes_raw(),
            broker_url="redis://127.0.0.1:1/0",
            broker_user="device",
            broker_secret="secret",
            trusted_keys=self.roots.signed(1, policy_keys(self.policy_key)),
            check_in_interval_seconds=3600,
        )
        self.source.contents[URL] = self.content.blob
        self.start()

    @property
    def target(self) -> Path:
        """Where the packaged program installs itself to."""
        return self.folder / "target"

    def start(self) -> None:
        """Start the agent, or start it again as after a kill: only files outlive it."""
        folders = Folders(self.folder / "state")
        folders.create()
        ledger = Ledger(folders.ledger)
        environment = Environment(("TARGET",), {"PATH": "/usr/bin:/bin", "TARGET": str(self.target)})
        self.progress = ProgressQueue()
        self.device = Device(
            identity=self.identity,
            folders=folders,
            ledger=ledger,
            clock=self.clock,
            uplink=self.uplink,
            source=self.source,
            keys=ContentKeys(self.identity),
            machine=Machine(this_platform(folders.state), folders.scripts, environment),
            environment=environment,
            restarts=Restarts(ledger.restarts, self.clock, lambda: self.boot),
            trust=Trust(self.identity.trusted_keys, ledger.trust),
            notifier=self.notifier,
            secret_files=SecretFiles(folders.state),
        )
        self.engine = Engine(self.device, self.progress, self.functions)

    def restart(self) -> None:
        """Kill the agent and start it again."""
        self.device.ledger.close()
        self.start()

    def policy(self, **changes: Any) -> Policy:
        """The policy of the packaged program."""
        facts: dict[str, Any] = {
            "app_id": "editor",
            "app_name": "Editor",
            "app_version": "1.0",
            "revision": 1,
            "intent": Intent.REQUIRED,
            "commands": Commands(install="sh install.sh", uninstall="sh uninstall.sh"),
            "detection_rules": (FileRule(path=str(self.target), file_or_folder_name="editor"),),
            "limits": Limits(max_run_time_seconds=30),
            "content": self.content.ref,
            "issued_at": START,
            "expires_at": START + timedelta(days=30),
        }
        return Policy.model_validate(facts | changes)

    def publish(self, ref: JobRef, **changes: Any) -> Policy:
        """Make the control plane answer for the job of `ref`."""
        policy = self.policy(**changes)
        self.uplink.policies[ref.job_id] = sign(policy, self.policy_key)
        context = content_key_context(ref.job_id, self.identity.device_id, policy.content.digest)
        self.uplink.contents[ref.job_id] = ContentInfo(
            url=URL,
            expires_at=START + timedelta(hours=1),
            size=policy.content.size,
            sealed_key=seal(self.content.key, self._sealing_key.public_key(), context),
        )
        return policy

    def new_job(self, **changes: Any) -> JobRef:
        """A job that was just sent, with its policy published."""
        ref = JobRef(job_id=str(uuid4()), generation=1, attempt=1)
        self.publish(ref, **changes)
        return ref

    def run(self, ref: JobRef, *, until: Phase | None = None) -> list[tuple[Phase, Handover]]:
        """Deliver an attempt's messages one after the other as the queue's end does.

        Args:
            ref: The attempt.
            until: Stop once this phase has run.

        Returns:
            Each phase that ran, with its handover.
        """
        steps: list[tuple[Phase, Handover]] = []
        phase: Phase | None = Phase.POLL
        while phase is not None:
            handover = self.engine.run(phase, ref)
            steps.append((phase, handover))
            if phase is until or handover.retry_in_seconds is not None:
                return steps
            phase = handover.go_on_at
        return steps

    def installs(self) -> int:
        """How often the packaged installer has run to its end."""
        record = self.target / "runs"
        return len(record.read_text(encoding="utf-8").splitlines()) if record.exists() else 0
