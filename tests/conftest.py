"""Fixtures of real servers, for every test that asks for one; the same examples in each run; signals as expected."""

import signal
import sys

from hypothesis import settings

# Neither chance nor the machine's speed decides whether a test passes: no time limits, the same examples each time.
settings.load_profile("ci")

pytest_plugins = ["tests.support.broker", "tests.support.store", "tests.support.database"]


def pytest_configure() -> None:
    """Heed Ctrl+C and a lost terminal.

    A script that starts the tests in the background, or `nohup`, has them ignored by all their processes.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
