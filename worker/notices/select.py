"""Who shows notices on this machine."""

import shutil
import sys

from worker.notices.notify_send import NotifySend
from worker.notices.port import LogNotifier, Notifier
from worker.platform.port import Platform
from worker.processes.environment import Environment


def this_notifier(platform: Platform, environment: Environment) -> Notifier:
    """`notify-send` where there is one; only the log otherwise."""
    program = None if sys.platform == "win32" else shutil.which("notify-send")
    return LogNotifier() if program is None else NotifySend(program, platform, environment)
