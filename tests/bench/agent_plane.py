"""What an agent's process talks to: a control plane in memory behind real HTTP, and a device that it has enrolled."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contract.envelopes import sign
from contract.jobs import JobRef
from contract.policy import Commands, Policy
from contract.queues import device_queue
from contract.rules import FileRule
from contract.sealing import seal
from contract.states import Intent
from contract.uplink import (
    CHECK_IN_PATH,
    CONTENT_INFO_PATH,
    GENERATION_REASON_HEADER,
    POLICY_PATH,
    REPORTS_PATH,
    TRUSTED_KEYS_VERSION_HEADER,
    CheckInReply,
    ContentInfo,
    GenerationReason,
    content_key_context,
)
from control.fleet.broker_users import RedisBrokerUsers, secret_hash
from deploy.local.ports import HOST
from tests.support.broker import RunningBroker
from tests.support.trust import Roots, policy_keys
from tests.worker.rig import PackedContent, pack
from worker.folders import Folders
from worker.identity import Identity, save_identity

_SECRET = "what the broker knows the device by"
_DAY = timedelta(days=1)
_CONTENT_PATH = "/content"
_HOUR_SECONDS = 3600.0
_HEADERS = {
    "Content-Type": "application/json",
    TRUSTED_KEYS_VERSION_HEADER: "1",
    GENERATION_REASON_HEADER: GenerationReason.PLANNED.value,
}


@dataclass
class Answers:
    """What is answered where, and how much came.

    Attributes:
        address: Of the server.
        documents: The bodies of answers, by path.
        reports: The bodies of the reports that came.
        requests: How many requests came, reports included.
    """

    address: str
    documents: dict[str, bytes] = field(default_factory=dict)
    reports: list[bytes] = field(default_factory=list)
    requests: int = 0

    def take(self, path: str, body: bytes) -> bytes:
        """The answer to a request; to one that tells something, an empty one."""
        self.requests += 1
        if path == REPORTS_PATH:
            self.reports.append(body)
        return self.documents.get(path, b"{}")


@contextmanager
def answering() -> Iterator[Answers]:
    """Serve on a free port of loopback, and keep connections as a real API does."""
    answers = Answers("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # An answer leaves in one piece.
        wbufsize = -1

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = answers.take(self.path.partition("?")[0], body)
            self.send_response(HTTPStatus.OK)
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = _serve  # noqa: N815  the names the library looks for

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    answers.address = f"http://{HOST}:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield answers
    finally:
        server.shutdown()
        server.server_close()


class EnrolledDevice:
    """A device with its state folder, known to the broker, and the jobs that are published for it.

    Args:
        folder: Of its own.
        answers: Where its jobs are published.
        broker: Where its queue is.
    """

    def __init__(self, folder: Path, answers: Answers, broker: RunningBroker) -> None:
        self.state = folder / "state"
        self.target = folder / "target"
        self.target.mkdir(parents=True)
        (self.target / "there").touch()
        self._answers = answers
        self._policy_key, self._sealing_key = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        self._content = _content(folder)
        self.id = str(uuid4())
        RedisBrokerUsers(broker.control_url).save({self.id: secret_hash(_SECRET)})
        folders = Folders(self.state)
        folders.create()
        save_identity(self._identity(broker), folders.identity)
        answers.documents[_CONTENT_PATH] = self._content.blob
        answers.documents[CHECK_IN_PATH] = _checked_in().to_json().encode()

    def publish(self, *, is_there: bool) -> JobRef:
        """A job for an app of its own, whose command only leaves the file that its rule looks for.

        Args:
            is_there: Whether the rule finds it before anything is done.
        """
        ref = JobRef(job_id=str(uuid4()), generation=1, attempt=1)
        policy = self._policy(ref, is_there=is_there)
        info = ContentInfo(
            url=self._answers.address + _CONTENT_PATH,
            expires_at=policy.expires_at,
            size=policy.content.size,
            sealed_key=seal(
                self._content.key,
                self._sealing_key.public_key(),
                content_key_context(ref.job_id, self.id, policy.content.digest),
            ),
        )
        documents = self._answers.documents
        documents[POLICY_PATH.format(job_id=ref.job_id)] = sign(policy, self._policy_key).to_json().encode()
        documents[CONTENT_INFO_PATH.format(job_id=ref.job_id)] = info.to_json().encode()
        return ref

    def _policy(self, ref: JobRef, *, is_there: bool) -> Policy:
        now = datetime.now(UTC)
        proof = "there" if is_there else ref.job_id
        return Policy(
            app_id=ref.job_id,
            app_name="No-op",
            app_version="1.0",
            revision=1,
            intent=Intent.REQUIRED,
            commands=Commands(install=f"touch {self.target / proof}", uninstall="true"),
            detection_rules=(FileRule(path=str(self.target), file_or_folder_name=proof),),
            content=self._content.ref,
            issued_at=now - _DAY,
            expires_at=now + _DAY,
        )

    def _identity(self, broker: RunningBroker) -> Identity:
        return Identity(
            device_id=self.id,
            name="measured",
            control_plane_url=self._answers.address,
            signing_key=Ed25519PrivateKey.generate().private_bytes_raw(),
            sealing_key=self._sealing_key.private_bytes_raw(),
            broker_url=broker.device_url,
            broker_user=device_queue(self.id),
            broker_secret=_SECRET,
            trusted_keys=Roots().signed(1, policy_keys(self._policy_key)),
            check_in_interval_seconds=_HOUR_SECONDS,
        )


def _content(folder: Path) -> PackedContent:
    source = folder / "source"
    source.mkdir()
    (source / "install.sh").write_text("true\n", encoding="utf-8")
    return pack(source, folder)


def _checked_in() -> CheckInReply:
    return CheckInReply(
        jobs_sent=0,
        check_in_interval_seconds=_HOUR_SECONDS,
        server_time=datetime.now(UTC),
        trusted_keys_version=1,
    )
