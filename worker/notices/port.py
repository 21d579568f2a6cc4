"""Telling the person at the device something, behind one port."""

from typing import Protocol

import structlog

from contract.policy import Policy
from worker.notices.notice import Event, Notice, app_notice

_log = structlog.get_logger(__name__)


class Notifier(Protocol):
    """Whoever shows notices; it never fails a job: a notice that cannot be shown is logged."""

    def notify(self, notice: Notice) -> None:
        """Show a notice to everybody who is logged on."""
        ...


def tell(notifier: Notifier, event: Event, policy: Policy) -> None:
    """Say what happens to an app, unless its policy keeps it quiet."""
    notice = app_notice(event, policy)
    if notice is not None:
        notifier.notify(notice)


class LogNotifier:
    """Shows nothing; the log has it."""

    def notify(self, notice: Notice) -> None:
        """See `Notifier.notify`."""
        _log.info("notice", title=notice.title, text=notice.text)
