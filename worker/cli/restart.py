"""`outrider-agent restart status` and `outrider-agent restart snooze`."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from contract.clock import SystemClock
from worker.cli.options import AsJson, StateDir, enrolled_folders
from worker.cli.output import handled, show
from worker.ledger.ledger import Ledger
from worker.restart.restarts import Restarts
from worker.restart.rules import Announcement, RestartPlan

app = typer.Typer(help="See a pending restart of this device, and put its reminders off.", no_args_is_help=True)


@app.command()
def status(state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """Show whether this device has to restart, for which apps, and by when.

    \b
    Example:
      outrider-agent restart status --json

    \b
    Exit status: 0 shown; 2 not enrolled.
    """  # noqa: D301  click keeps the lines of a paragraph that begins so
    with handled(as_json=as_json), _restarts(state_dir) as restarts:
        plan, said = restarts.plan(), restarts.announcement()
        show(_facts(plan, said), _text(plan, said), as_json=as_json)


@app.command()
def snooze(state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """Put the next reminder off; the deadline of the restart stays.

    \b
    Example:
      outrider-agent restart snooze

    \b
    Exit status: 0 put off; 2 not enrolled, no restart is pending, or its countdown has begun.
    """  # noqa: D301  click keeps the lines of a paragraph that begins so
    with handled(as_json=as_json), _restarts(state_dir) as restarts:
        said = restarts.snooze()
        plan = restarts.plan()
        show(_facts(plan, said), _text(plan, said), as_json=as_json)


@contextmanager
def _restarts(state_dir: Path | None) -> Iterator[Restarts]:
    with closing(Ledger(enrolled_folders(state_dir).ledger)) as ledger:
        yield Restarts(ledger.restarts, SystemClock())


def _facts(plan: RestartPlan | None, said: Announcement) -> dict[str, Any]:
    due_at = None if plan is None or plan.due is None else plan.due.due_at
    return {
        "pending": plan is not None,
        "apps": [] if plan is None else list(plan.apps),
        "blocks_other_apps": plan is not None and plan.blocks,
        "due_at": None if due_at is None else due_at.isoformat(),
        "remind_at": None if plan is None or said.remind_at is None else said.remind_at.isoformat(),
    }


def _text(plan: RestartPlan | None, said: Announcement) -> str:
    if plan is None:
        return "No restart is pending."
    lines = [f"This device must restart to finish {', '.join(plan.apps)}."]
    if plan.due is not None and plan.due.due_at is not None:
        lines.append(f"The restart is due at {_time(plan.due.due_at)}.")
    if said.remind_at is not None:
        lines.append(f"The next reminder is due at {_time(said.remind_at)}.")
    if plan.blocks:
        lines.append("Other apps wait until it has restarted.")
    return "\n".join(lines)


def _time(moment: datetime) -> str:
    return moment.astimezone().isoformat(sep=" ", timespec="minutes")
