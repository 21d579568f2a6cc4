"""What trust costs: each step beside the bare primitives of `cryptography` that it cannot do without; and its share.

The share is of the API's processor time for the requests of one job: check-in, policy, content, progress of ten phases,
report, each signed by the device. The client's part of these requests runs in the same process and counts as API.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from contract.envelopes import key_id_of, signed_bytes
from contract.http_signatures import SignableRequest, sign_request
from contract.policy import Commands, ContentRef, Policy
from contract.policy_verification import read_envelope, verify_policy
from contract.request_verification import verify_request
from contract.rules import FileRule
from contract.sealing import seal, unseal
from contract.states import Intent
from contract.trusted_keys import PolicyKey
from control.security.file_policy_signer import FilePolicySigner, make_policy_key
from control.security.policy_signing import sign_policy
from tests.bench.row import Row, Unit
from tests.bench.trust_requests import requests_of_jobs
from tests.support.trust import BEGAN, YEARS, Roots

_AREA = "trust"
_MICROSECONDS = 1e6
_RUNS, _QUICK_RUNS = 2000, 300
_JOBS, _QUICK_JOBS = 60, 15
_ROUNDS = 5
_CONTEXT = b"outrider-content-key-1 job device digest"
_SECRET = bytes(32)
_BODY = b"x" * 600

POLICY = Policy(
    app_id="b7a9dd5e-8a2a-4a52-bb0e-4f0d7c1b3a55",
    app_name="Editor",
    revision=1,
    intent=Intent.REQUIRED,
    commands=Commands(install="sh install.sh --quiet", uninstall="sh uninstall.sh"),
    detection_rules=(FileRule(path="/opt/editor", file_or_folder_name="bin"),),
    content=ContentRef(
        digest="0" * 64,
        size=10_000_000,
        plain_size=10_000_000,
        plain_digest=bytes(32),
        mac=bytes(32),
        mac_key=bytes(32),
        initialization_vector=bytes(16),
    ),
    issued_at=BEGAN,
    expires_at=BEGAN + YEARS,
)


def rows(quick: bool) -> Iterator[Row]:
    """Each step by itself, then the share of a job's time."""
    runs = _QUICK_RUNS if quick else _RUNS
    yield from _policies(runs)
    yield from _content_keys(runs)
    yield from _requests(runs)
    yield _share(_QUICK_JOBS if quick else _JOBS)


def _policies(runs: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="outrider-bench-") as name:
        public_key, signer = make_policy_key(Path(name)), FilePolicySigner(Path(name))
        key_id, key = key_id_of(public_key), Ed25519PrivateKey.generate()
        envelope = sign_policy(POLICY, signer, key_id)
    trusted = Roots().version(1, {key_id: PolicyKey(public_key=public_key)})
    data, message = envelope.to_json().encode(), signed_bytes(Policy, envelope.payload)
    signature, public = key.sign(message), key.public_key()
    yield _row("sign a policy", lambda: sign_policy(POLICY, signer, key_id).to_json(), lambda: key.sign(message), runs)
    yield _row(
        "verify a policy on the device",
        lambda: verify_policy(read_envelope(data), trusted, BEGAN),
        lambda: public.verify(signature, message),
        runs,
    )


def _content_keys(runs: int) -> Iterator[Row]:
    device = X25519PrivateKey.generate()
    public, other = device.public_key(), X25519PrivateKey.generate()
    sealed, cipher, nonce = seal(_SECRET, public, _CONTEXT), AESGCM(bytes(32)), bytes(12)
    closed = cipher.encrypt(nonce, _SECRET, None)

    def bare_seal() -> None:
        shared = X25519PrivateKey.generate().exchange(public)
        cipher.encrypt(nonce, HKDF(SHA256(), 32, None, _CONTEXT).derive(shared), None)

    def bare_open() -> None:
        HKDF(SHA256(), 32, None, _CONTEXT).derive(device.exchange(other.public_key()))
        cipher.decrypt(nonce, closed, None)

    yield _row("seal a content key", lambda: seal(_SECRET, public, _CONTEXT), bare_seal, runs)
    yield _row("open a content key on the device", lambda: unseal(sealed, device, _CONTEXT), bare_open, runs)


def _requests(runs: int) -> Iterator[Row]:
    key = Ed25519PrivateKey.generate()
    public, message = key.public_key(), bytes(400)
    signature = key.sign(message)

    def signed() -> SignableRequest:
        request = SignableRequest("POST", "https://control.example/v1/device/progress", {})
        sign_request(request, _BODY, key=key, key_id="device", now=datetime.now(UTC))
        return request

    kept = signed()
    yield _row("sign a request on the device", signed, lambda: key.sign(message), runs)
    yield _row(
        "verify a request",
        lambda: verify_request(kept, _BODY, lambda _key_id: public),
        lambda: public.verify(signature, message),
        runs,
    )


class _Timer:
    """Counts the processor time of what only trust needs; looking a key up in the database is not that."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def verify_request(
        self, request: SignableRequest, body: bytes, public_key: Callable[[str], Ed25519PublicKey]
    ) -> tuple[str, str]:
        looked_up = 0.0

        def look_up(key_id: str) -> Ed25519PublicKey:
            nonlocal looked_up
            began = time.thread_time()
            try:
                return public_key(key_id)
            finally:
                looked_up += time.thread_time() - began

        began = time.thread_time()
        try:
            return verify_request(request, body, look_up)
        finally:
            self.seconds += time.thread_time() - began - looked_up

    def seal(self, secret: bytes, recipient: X25519PublicKey, context: bytes) -> bytes:
        began = time.thread_time()
        try:
            return seal(secret, recipient, context)
        finally:
            self.seconds += time.thread_time() - began


def _share(jobs: int) -> Row:
    """Processor time in what only trust needs, and in all; the first job only warms up."""
    timer = _Timer()
    with requests_of_jobs(1 + jobs) as run:
        asyncio.run(run(0, 1))
        with (
            patch("control.fleet.device_auth.verify_request", timer.verify_request),
            patch("control.api.device_routes.seal", timer.seal),
        ):
            began = time.process_time()
            requests = asyncio.run(run(1, jobs + 1))
            total = time.process_time() - began
    spent = timer.seconds
    figures = (spent / jobs * _MICROSECONDS, total / jobs * _MICROSECONDS)
    extra = f"{requests / jobs:.0f} requests"
    return Row(_AREA, "trust's share of the API's time for a job", *figures, extra=extra, unit=Unit.CPU_MICROSECONDS)


def _row(name: str, ours: Callable[[], object], baseline: Callable[[], object], runs: int) -> Row:
    taken = (_best(ours, runs) * _MICROSECONDS, _best(baseline, runs) * _MICROSECONDS)
    return Row(_AREA, name, *taken, unit=Unit.CPU_MICROSECONDS)


def _best(function: Callable[[], object], runs: int) -> float:
    """Seconds of processor time for one call; the best of several rounds."""
    rounds = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        for _ in range(runs // _ROUNDS):
            function()
        rounds.append((time.process_time() - began) / (runs // _ROUNDS))
    return min(rounds)
