"""What the system would be without its means: kombu's own transport over Redis, and an agent without a ledger.

Test code only. It installs and reports as the agent does, with the settings that serve the stock transport best:
bookkeeping keys of its own and a visibility timeout of seconds.
"""

import os
import subprocess
from pathlib import Path

from kombu.transport import redis as stock

from contract.celery_process import prepare_celery_process
from contract.clock import SystemClock
from contract.jobs import JobRef
from contract.phases import Phase
from contract.policy import Policy
from contract.policy_verification import read_envelope, verify_policy
from contract.queue_messages import is_packed, unpacked
from contract.queues import device_queue
from contract.report import Report
from contract.states import (
    Applicability,
    ComplianceState,
    DesiredState,
    DetectionState,
    EnforcementState,
    Outcome,
)
from contract.trusted_keys import first_trust
from tests.faults.apps import MARKERS
from worker.bootstrap import build_uplink
from worker.celery_app import make_app
from worker.folders import Folders
from worker.handover import Handover
from worker.identity import Identity, load_identity
from worker.message_guard import MAX_MESSAGE_BYTES
from worker.settings import load_settings
from worker.uplink.port import Uplink

#: After this the stock transport gives out a message that was taken and not acknowledged once more.
VISIBILITY_SECONDS = 3


class ForgetfulRunner:
    """Runs what a message asks for; what it did in an earlier life it does not know."""

    def __init__(self, identity: Identity, uplink: Uplink, content: Path) -> None:
        self._identity = identity
        self._uplink = uplink
        self._content = content

    def run(self, phase: Phase, ref: JobRef, **_others: object) -> Handover:
        """Install where detection asks for it, report at the end; the other phases have nothing to do."""
        if phase is Phase.INSTALL:
            self._install(ref)
        if phase is Phase.REPORT:
            self._uplink.report(self._report(ref))
        return Handover(go_on_at=phase.follower)

    def _install(self, ref: JobRef) -> None:
        policy = self._policy(ref)
        if (Path(os.environ["HOME"]) / MARKERS / policy.app_name).exists():
            return
        mark = f"{ref.job_id}/{ref.generation}/{ref.attempt}"
        environment = {"HOME": os.environ["HOME"], "PATH": os.environ["PATH"], "OUTRIDER_INSTALLER": mark}
        command = policy.commands.install.split()
        subprocess.run(command, cwd=self._content, env=environment, start_new_session=True, check=False)

    def _policy(self, ref: JobRef) -> Policy:
        envelope = self._uplink.policy(ref, known_digest=None).envelope
        assert envelope is not None
        trusted = first_trust(self._identity.trusted_keys)
        return verify_policy(read_envelope(envelope), trusted, SystemClock().now())

    def _report(self, ref: JobRef) -> Report:
        policy, now = self._policy(ref), SystemClock().now()
        return Report(
            job_id=ref.job_id,
            device_id=self._identity.device_id,
            generation=ref.generation,
            attempt=ref.attempt,
            app_id=policy.app_id,
            app_name=policy.app_name,
            revision=policy.revision,
            intent=policy.intent,
            outcome=Outcome.INSTALLED,
            desired_state=DesiredState.PRESENT,
            detection_state=DetectionState.DETECTED,
            applicability=Applicability.APPLICABLE,
            compliance_state=ComplianceState.INSTALLED,
            enforcement_state=EnforcementState.SUCCESS,
            phases=(),
            started_at=now,
            ended_at=now,
        )


def read_what_is_sent() -> None:
    """Teach kombu's own transport to read what the control plane puts into queues, and nothing else."""
    read, text = stock.loads, stock.bytes_to_str
    stock.bytes_to_str = lambda raw: raw if is_packed(raw) else text(raw)
    stock.loads = lambda raw: unpacked(raw, most_bytes=MAX_MESSAGE_BYTES) if is_packed(raw) else read(raw)


def main() -> None:
    """Consume the device's queue until SIGTERM."""
    read_what_is_sent()
    settings = load_settings()
    identity = load_identity(Folders(settings.state_dir).identity)
    uplink = build_uplink(settings, identity, SystemClock())
    runner = ForgetfulRunner(identity, uplink, Path(os.environ["OUTRIDER_STOCK_CONTENT"]))
    app = make_app(identity, runner)
    queue = device_queue(identity.device_id)
    own_keys = {f"unacked{part}_key": f"{queue}.unacked{part}" for part in ("", "_index", "_mutex")}
    app.conf.update(
        broker_url=os.environ["OUTRIDER_STOCK_BROKER"],
        broker_transport="redis",
        broker_transport_options={
            "visibility_timeout": VISIBILITY_SECONDS,
            "polling_interval": 1,
            "priority_steps": [0],
            **own_keys,
        },
    )
    prepare_celery_process()
    worker = app.Worker(
        hostname=queue, pool="solo", concurrency=1, without_gossip=True, without_mingle=True, loglevel="INFO"
    )
    worker.start()


if __name__ == "__main__":
    main()
