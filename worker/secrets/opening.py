"""A job's secrets, asked for and opened."""

from collections.abc import Mapping

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError, PhaseError, TrustError, UnavailableError
from contract.jobs import JobRef
from contract.policy import Policy
from contract.sealing import unseal
from contract.uplink import SealedSecret, SecretsReply, secret_context
from worker.device import Device
from worker.identity import Identity


def open_secrets(device: Device, ref: JobRef, policy: Policy) -> Mapping[str, str]:
    """The value of each secret that the policy names; nothing is asked where it names none.

    Raises:
        PhaseError: SECRET_UNAVAILABLE: one is not there any more; SECRET_REFUSED: one cannot be opened.
        UnavailableError: SECRET_UNAVAILABLE: the control plane does not answer.
    """
    wanted = {use.name for use in policy.secrets}
    if not wanted:
        return {}
    sealed = {secret.name: secret for secret in _ask(device, ref).secrets}
    missing = sorted(wanted - sealed.keys())
    if missing:
        raise PhaseError(ErrorCode.SECRET_UNAVAILABLE, place=missing[0], detail="the control plane did not send it")
    return {name: _open(device.identity, ref, sealed[name]) for name in wanted}


def _ask(device: Device, ref: JobRef) -> SecretsReply:
    try:
        return device.uplink.secrets(ref)
    except UnavailableError as error:
        raise UnavailableError(ErrorCode.SECRET_UNAVAILABLE, detail=str(error)) from error
    except NotFoundError as error:
        if error.code is not ErrorCode.UNKNOWN_SECRET:
            raise
        raise PhaseError(ErrorCode.SECRET_UNAVAILABLE, detail=error.detail) from error


def _open(identity: Identity, ref: JobRef, secret: SealedSecret) -> str:
    context = secret_context(ref.job_id, identity.device_id, secret.name)
    try:
        value = unseal(secret.sealed, identity.unsealer, context).decode()
    except TrustError as error:
        raise PhaseError(ErrorCode.SECRET_REFUSED, place=secret.name, detail=str(error)) from error
    except UnicodeDecodeError:
        # The error would carry what it could not decode.
        raise PhaseError(ErrorCode.SECRET_REFUSED, place=secret.name, detail="it is no text") from None
    if "\0" in value:
        raise PhaseError(ErrorCode.SECRET_REFUSED, place=secret.name, detail="it holds a NUL character")
    return value
