"""Giving a command its secrets, and taking them back."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import structlog

from contract.error_codes import ErrorCode
from contract.errors import PhaseError
from contract.installer_secrets import SECRETS_FOLDER_VARIABLE
from contract.jobs import JobRef
from contract.policy import Policy
from worker.device import Device
from worker.logs.known_secrets import forms_of
from worker.processes.account import Account
from worker.secrets.opening import open_secrets

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class GivenSecrets:
    """What a command is given.

    Attributes:
        variables: Added to its environment.
        texts: What must not be kept of its output.
    """

    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    texts: tuple[str, ...] = field(default=(), repr=False)


@contextmanager
def given_secrets(device: Device, ref: JobRef, policy: Policy, account: Account | None) -> Iterator[GivenSecrets]:
    """What the policy's command is given, there while the block runs; nothing is asked where it is given nothing.

    Raises:
        PhaseError: SECRET_UNAVAILABLE or SECRET_REFUSED.
        UnavailableError: SECRET_UNAVAILABLE: the control plane does not answer.
    """
    values = open_secrets(device, ref, policy)
    texts = tuple(dict.fromkeys(form for value in values.values() for form in forms_of(value)))
    variables = {use.env: values[use.name] for use in policy.secrets if use.env is not None}
    files = {use.file: values[use.name] for use in policy.secrets if use.file is not None}
    with ExitStack() as stack:
        stack.enter_context(device.known_secrets.with_more(texts))
        if values:
            _log.info("the command is given what it must keep to itself", names=sorted(values))
        if files:
            variables |= _placed(stack, device, ref, files, account)
        yield GivenSecrets(variables, texts)


def _placed(
    stack: ExitStack, device: Device, ref: JobRef, files: Mapping[str, str], account: Account | None
) -> dict[str, str]:
    try:
        folder = stack.enter_context(device.secret_files.placed(ref, files, account))
    except OSError as error:
        detail = f"a file could not be written: {error.strerror}"
        raise PhaseError(ErrorCode.SECRET_UNAVAILABLE, place=error.filename or "", detail=detail) from error
    return {SECRETS_FOLDER_VARIABLE: str(folder)}
