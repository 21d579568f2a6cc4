"""In whose name an app's command runs where it is to be a person's (behaviour B-50, B-63, B-67)."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from contract.error_codes import ErrorCode
from contract.errors import PhaseError
from contract.policy import Policy
from worker.installation.command import command_line, not_started
from worker.platform.port import Platform, UserSession
from worker.processes.account import Account, account_of, own_account_name

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


def require_supported(policy: Policy) -> None:
    """See that this agent can run the policy's command in a user's name.

    Raises:
        PhaseError: INSTALLER_NOT_STARTED.
    """
    reason = why_unsupported()
    if reason:
        raise not_started(reason, command_line(policy))


def logged_on_user(platform: Platform) -> LoggedOnUser | None:
    """Whom a user's app is installed for: the person logged on the longest; None where nobody is."""
    return next(logged_on_users(platform), None)


def logged_on_users(platform: Platform) -> Iterator[LoggedOnUser]:
    """The people this agent can act for, each once, the longest logged on first.

    The superuser's own sessions are maintenance and do not count. An agent that is not root can act for its own
    account only, and that is the user then, logged on or not.
    """
    if sys.platform == "win32":
        return
    own = os.geteuid()
    sessions = platform.user_sessions()
    names = {session.user: _display(session) for session in reversed(sessions)}
    if own != _ROOT:
        names = {name: names.get(name, "") for name in (own_account_name(),)}
    for name, display in reversed(names.items()):
        account = account_of(name)
        if account is not None and account.uid != _ROOT:
            yield LoggedOnUser(account, display)


def _display(session: UserSession) -> str:
    return session.session_id if session.session_id.startswith(":") else ""


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
