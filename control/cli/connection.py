"""Which control plane a command speaks to: OUTRIDER_URL and OUTRIDER_TOKEN."""

import os
from collections.abc import Mapping

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.secure_addresses import require_encryption
from control.client import ControlClient

URL_VARIABLE = "OUTRIDER_URL"
ALLOW_VARIABLE = "OUTRIDER_ALLOW_INSECURE_API"
TOKEN_VARIABLE = "OUTRIDER_TOKEN"  # noqa: S105  the variable's name, not a token


def connect(environment: Mapping[str, str] | None = None) -> ControlClient:
    """A client of the control plane that the environment names.

    Raises:
        InputError: It names none, or one on another machine without TLS.
    """
    given = os.environ if environment is None else environment
    missing = [name for name in (URL_VARIABLE, TOKEN_VARIABLE) if not given.get(name)]
    if missing:
        raise InputError(ErrorCode.NOT_LOGGED_IN, place=" and ".join(missing))
    require_encryption(
        given[URL_VARIABLE],
        place=URL_VARIABLE,
        allowed_by=ALLOW_VARIABLE,
        allowed=given.get(ALLOW_VARIABLE, "") == "true",
    )
    return ControlClient(given[URL_VARIABLE], given[TOKEN_VARIABLE])
