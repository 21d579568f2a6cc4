"""How the service tells its agent to stop: Windows has no SIGTERM that one process sends another."""

import sys

assert sys.platform == "win32"

import _thread
import os
import signal
import threading

import win32event

#: The handle of the event, inherited from the service, as a number; a name would let others stop the agent.
VARIABLE = "OUTRIDER_SERVICE_STOP_EVENT"


def heed_stops() -> None:
    """From now on Ctrl-Break, and the service's event where the service started this process, do what SIGTERM does."""
    signal.signal(signal.SIGBREAK, lambda _number, _frame: signal.raise_signal(signal.SIGTERM))
    inherited = os.environ.get(VARIABLE)
    if inherited is not None:
        threading.Thread(target=_wait, args=(int(inherited),), name="service stop", daemon=True).start()


def _wait(event: int) -> None:
    win32event.WaitForSingleObject(event, win32event.INFINITE)
    _thread.interrupt_main(signal.SIGTERM)
