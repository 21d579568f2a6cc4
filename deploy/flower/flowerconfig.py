"""Flower's settings: on loopback, behind a password, looking on without touching.

Read by `celery flower --conf=...`; each name is one of Flower's options. Port, user and password come from the
environment so that no command line shows them.
"""

import os
from logging import ERROR, getLogger
from typing import Any

from deploy.flower.routes import only_look

only_look()

address = "127.0.0.1"
port = int(os.environ["OUTRIDER_FLOWER_PORT"])
#: Also opens `/api`, which answers 401 to everybody as long as no authentication is configured.
basic_auth = [f"{os.environ['OUTRIDER_FLOWER_USER']}:{os.environ['OUTRIDER_FLOWER_PASSWORD']}"]

#: No shutting down, no revoking, no submitting of tasks through the dashboard.
read_only = True
#: Workers send events unasked and take no remote control. What Flower knows of them it has from their events; the
#: questions it still asks at its start and for a worker's own page are refused by the broker, as they should be.
enable_events = False
inspect_timeout = 1.0
getLogger("flower.inspector").setLevel(ERROR)

persistent = False
max_workers = 100_000
max_tasks = 20_000


def format_task(task: Any) -> Any:
    """Show no arguments: they name devices and jobs, and nothing that travels here needs to be shown."""
    task.args = "(masked)"
    task.kwargs = "(masked)"
    return task
