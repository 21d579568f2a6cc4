"""Fixtures of real servers, for every test that asks for one; and Ctrl+C as the tests' processes expect it."""

import signal

pytest_plugins = ["tests.support.broker", "tests.support.store", "tests.support.database"]


def pytest_configure() -> None:
    """Heed Ctrl+C where a script started the tests in the background, which has it ignored by all their processes."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
