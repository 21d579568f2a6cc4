"""Flower's settings: on loopback, behind a password, looking on without touching.

Read by `celery flower --conf=...`; each name is one of Flower's options. Port, user and password come from the
environment so that no command line shows them.
"""

import os
from typing import Any

address = "127.0.0.1"
port = int(os.environ["OUTRIDER_FLOWER_PORT"])
#: Also opens `/api`, which answers 401 to everybody as long as no authentication is configured.
basic_auth = [f"{os.environ['OUTRIDER_FLOWER_USER']}:{os.environ['OUTRIDER_FLOWER_PASSWORD']}"]

#: No shutting down, no revoking, no submitting of tasks through the dashboard.
read_only = True
#: Workers take no remote control: asking them would only wait, here at most a millisecond, for no answer.
inspect_timeout = 1.0
#: Workers send events unasked; Flower's broker user could not ask them.
enable_events = False

persistent = False
max_workers = 100_000
max_tasks = 20_000


def format_task(task: Any) -> Any:
    """Show no arguments: they name devices and jobs, and nothing that travels here needs to be shown."""
    task.args = "(masked)"
    task.kwargs = "(masked)"
    return task
