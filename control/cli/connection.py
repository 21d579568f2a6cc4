"""Which control plane a command speaks to: OUTRIDER_URL and OUTRIDER_TOKEN, else what `outrider login` kept."""

import os
from collections.abc import Mapping

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.secure_addresses import require_encryption
from control.cli.logins import Login, LoginStore
from control.client.control_client import ControlClient

URL_VARIABLE = "OUTRIDER_URL"
ALLOW_VARIABLE = "OUTRIDER_ALLOW_INSECURE_API"
TOKEN_VARIABLE = "OUTRIDER_TOKEN"  # noqa: S105  the variable's name, not a token


def connect(environment: Mapping[str, str] | None = None) -> ControlClient:
    """A client of the control plane that the environment names, or else of the one that was logged in to.

    Raises:
        InputError: There is none, or it is on another machine without TLS.
    """
    given = os.environ if environment is None else environment
    login = _named(given) or LoginStore.default().load()
    if login is None or login.token is None:
        missing = [name for name in (URL_VARIABLE, TOKEN_VARIABLE) if not given.get(name)]
        raise InputError(ErrorCode.NOT_LOGGED_IN, place=" and ".join(missing))
    require_secure(login.url, given)
    return ControlClient(login.url, login.token)


def require_secure(url: str, environment: Mapping[str, str] | None = None) -> None:
    """Refuse a control plane on another machine without TLS.

    Raises:
        InputError: It has none, and the environment does not allow that.
    """
    given = os.environ if environment is None else environment
    allowed = given.get(ALLOW_VARIABLE, "") == "true"
    require_encryption(url, place=url, allowed_by=ALLOW_VARIABLE, allowed=allowed)


def _named(given: Mapping[str, str]) -> Login | None:
    """What the environment names; half of it is a mistake, not a reason to take somebody else's."""
    url, token = given.get(URL_VARIABLE), given.get(TOKEN_VARIABLE)
    if not url and not token:
        return None
    return Login(url=url or "", token=token if url and token else None)
