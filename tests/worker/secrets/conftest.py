"""Jobs whose command is given secrets."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contract.installer_secrets import SecretUse
from contract.jobs import JobRef
from contract.policy import Policy
from contract.sealing import seal
from contract.uplink import SealedSecret, SecretsReply, secret_context
from tests.worker.rig import Rig

LICENCE = "LIC-0123-4567-89AB"
PASSWORD = "correct horse battery"
VALUES = {"editor-licence": LICENCE, "editor-password": PASSWORD}
USES = (SecretUse(name="editor-licence", file="licence"), SecretUse(name="editor-password", env="EDITOR_PASSWORD"))

NewJob = Callable[..., tuple[JobRef, Policy]]


def sealed(rig: Rig, ref: JobRef, name: str, value: bytes, bound_to: dict[str, str] | None = None) -> SealedSecret:
    """A secret as the control plane seals it, or sealed for something else."""
    to = {"job_id": ref.job_id, "device_id": rig.identity.device_id, "name": name, **(bound_to or {})}
    recipient = X25519PrivateKey.from_private_bytes(rig.identity.sealing_key).public_key()
    return SealedSecret(name=name, version=1, sealed=seal(value, recipient, secret_context(**to)))


@pytest.fixture
def new_job(rig: Rig) -> NewJob:
    """A job with its secrets published."""

    def make(**changes: Any) -> tuple[JobRef, Policy]:
        facts = {"secrets": USES, **changes}
        ref = rig.new_job(**facts)
        secrets = tuple(sealed(rig, ref, name, value.encode()) for name, value in VALUES.items())
        rig.uplink.sealed_secrets[ref.job_id] = SecretsReply(secrets=secrets)
        return ref, rig.policy(**facts)

    return make
