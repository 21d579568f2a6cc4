"""The secrets of a job, sealed to its device."""

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from contract.sealing import seal
from contract.uplink import SealedSecret, secret_context
from control.catalog.manifest import Manifest
from control.catalog.policies import secrets_for
from control.database.tables import Job, Revision, Secret
from control.fleet.known_devices import KnownDevice
from control.secrets.vault import SecretVault


def sealed_secrets(
    session: Session, vault: SecretVault, job: Job, revision: Revision, device: KnownDevice
) -> tuple[SealedSecret, ...]:
    """The newest value of each secret that the job's command is given; those of its other command are not in it.

    Raises:
        NotFoundError: UNKNOWN_SECRET: one has been deleted.
        TrustError: One cannot be unwrapped.
    """
    recipient = X25519PublicKey.from_public_bytes(device.sealing_key)
    uses = secrets_for(Manifest.model_validate_json(revision.manifest), job.intent)
    sealed = []
    for name in dict.fromkeys(use.name for use in uses):
        secret = session.get(Secret, name)
        if secret is None:
            detail = f"{name} was deleted after the revision was published"
            raise NotFoundError(ErrorCode.UNKNOWN_SECRET, place=name, detail=detail)
        value = vault.unwrap(name, secret.version, secret.wrapped).encode()
        context = secret_context(job.id, device.id, name)
        sealed.append(SealedSecret(name=name, version=secret.version, sealed=seal(value, recipient, context)))
    return tuple(sealed)
