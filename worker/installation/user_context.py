"""In whose name an app's command runs where it is to be a person's (behaviour B-50, B-63, B-67)."""

import os
import sys
from dataclasses import dataclass

from contract.error_codes import ErrorCode
from contract.errors import PhaseError
from worker.platform.port import Platform
from worker.processes.account import Account, account_of

_ROOT = 0


@dataclass(frozen=True)
class LoggedOnUser:
    """A person who is logged on, and the display of the session where it has one."""

    account: Account
    display: str = ""

    def variables(self) -> dict[str, str]:
        """What the session's programs have in their environment."""
        return self.account.variables(self.display)


def why_unsupported() -> str:
    """In words why this agent can run no command in a user's name; empty where it can."""
    return "this agent runs commands in its own name only on Windows" if sys.platform == "win32" else ""


def logged_on_user(platform: Platform) -> LoggedOnUser | None:
    """Whom a user's app is installed for: the person logged on the longest; None where nobody is.

    The superuser's own sessions are maintenance and do not count. An agent that is not root can act for its own
    account only, and that is the user then, logged on or not.
    """
    if sys.platform == "win32":
        return None
    own = os.geteuid()
    if own != _ROOT:
        import pwd  # noqa: PLC0415  it is not there on Windows

        account = account_of(pwd.getpwuid(own).pw_name)
        return None if account is None else LoggedOnUser(account)
    for session in platform.user_sessions():
        account = account_of(session.user)
        if account is not None and account.uid != _ROOT:
            return LoggedOnUser(account, session.session_id if session.session_id.startswith(":") else "")
    return None


def is_logged_on(platform: Platform, name: str) -> bool:
    """Whether a person is still there; an agent that is that person itself always is."""
    account = account_of(name)
    return (account is not None and account.is_own) or any(it.user == name for it in platform.user_sessions())


def require_logged_on(platform: Platform, name: str) -> None:
    """See that the user is still there right before the command starts.

    Raises:
        PhaseError: USER_LOGGED_OFF (behaviour B-63).
    """
    if not is_logged_on(platform, name):
        raise PhaseError(ErrorCode.USER_LOGGED_OFF, detail="before the command was started", place=name)
