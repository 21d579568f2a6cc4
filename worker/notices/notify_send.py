"""Notices on Linux desktops: `notify-send`, run in the name of each person who is logged on."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import structlog

from worker.installation.user_context import logged_on_users
from worker.notices.notice import Notice
from worker.platform.port import Platform
from worker.processes.account import Account
from worker.processes.environment import Environment
from worker.processes.launch import Launch, launch
from worker.processes.tree import end_tree

_log = structlog.get_logger(__name__)

_LIMIT_SECONDS = 5.0
_BUS = "DBUS_SESSION_BUS_ADDRESS"


class NotifySend:
    """Asks the desktop of each session through its own bus; a session without one sees nothing.

    Args:
        program: The `notify-send` program.
        platform: Who is logged on.
        environment: What the program may see.
    """

    def __init__(self, program: str, platform: Platform, environment: Environment) -> None:
        self._program = program
        self._platform = platform
        self._environment = environment

    def notify(self, notice: Notice) -> None:
        """See `Notifier.notify`."""
        _log.info("notice", title=notice.title, text=notice.text)
        for account, variables in self._sessions():
            try:
                self._show(notice, account, variables)
            except OSError as error:
                _log.warning("a notice could not be shown", user=account.name, error=error.strerror)

    def _sessions(self) -> Iterator[tuple[Account, dict[str, str]]]:
        for user in logged_on_users(self._platform):
            variables = self._environment.variables(**user.variables())
            if _BUS in variables:
                yield user.account, variables

    def _show(self, notice: Notice, account: Account, variables: dict[str, str]) -> None:
        urgency = "critical" if notice.urgent else "normal"
        # What follows `--` is text, whatever an app is called.
        command = [self._program, "--app-name=Outrider", f"--urgency={urgency}", "--", notice.title, notice.text]
        process = launch(Launch(command, Path("/"), variables, Path(os.devnull), account=account))
        try:
            exit_code = process.wait(_LIMIT_SECONDS)
        except psutil.TimeoutExpired:
            end_tree(process)
            exit_code = None
        if exit_code != 0:
            _log.warning("a notice was not shown", user=account.name, exit_code=exit_code)
