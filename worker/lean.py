"""What a process that runs for months leaves out of its memory."""

import sys
from typing import Final

#: Libraries that others load wherever they are installed and do without where they are not; an agent needs none.
#: Together they take 4 MB.
UNNEEDED: Final = (
    # Colours: structlog; the HTTP client's own command line.
    "rich",
    "pygments",
    # Other ways to write messages: kombu. An agent reads JSON only.
    "yaml",
    "msgpack",
    # Other kinds of threads: structlog, Celery; and of clients: the HTTP client.
    "greenlet",
    "anyio",
    # Calls of the system's libraries: billiard, which has ctypes for them.
    "cffi",
    # Measurements of the connection to the broker: redis-py.
    "opentelemetry",
)


def leave_out_unneeded_libraries() -> None:
    """Have libraries find none of `UNNEEDED` in this process, as on a device where they are not installed.

    To be called before what would load them; one that is loaded already stays.
    """
    for name in UNNEEDED:
        if name not in sys.modules:
            sys.modules[name] = None  # type: ignore[assignment]  # the language's own way to have an import fail
