"""`outrider-agent status`."""

from contextlib import closing
from datetime import datetime
from typing import Annotated, Any

import typer

from contract.clock import SystemClock
from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from contract.report import Wait
from worker.app_state import AppState
from worker.cli.options import AsJson, StateDir, enrolled_folders
from worker.cli.output import handled, show
from worker.cli.status_facts import app_facts, word
from worker.folders import Folders
from worker.ledger.attempts import Running
from worker.ledger.ledger import Ledger


def status(
    app: Annotated[str, typer.Argument(help="An app's id or name; all apps otherwise.")] = "",
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what this device knows of its apps: last outcome, exit code, what runs now, what comes next and why.

    \b
    Examples:
      outrider-agent status
      outrider-agent status 7-zip --json

    \b
    Exit status: 0 shown; 2 not enrolled, or no such app.
    """  # noqa: D301  click keeps the lines of a paragraph that begins so
    with handled(as_json=as_json):
        states, running = _read(enrolled_folders(state_dir), app)
        facts = {"apps": [app_facts(state) for state in states], "running": running}
        show(facts, _text(states, running), as_json=as_json)


def _read(folders: Folders, app: str) -> tuple[list[AppState], list[dict[str, Any]]]:
    now = SystemClock().now()
    with closing(Ledger(folders.ledger)) as ledger:
        states = [state.as_of(now) for state in ledger.apps.states() if _matches(app, state.app_id, state.app_name)]
        running = [_running(attempt, now) for attempt in ledger.attempts.running()]
    running = [attempt for attempt in running if _matches(app, attempt["app_id"], attempt["app_name"])]
    if app and not states and not running:
        raise NotFoundError(ErrorCode.UNKNOWN_APP, place=app)
    return states, running


def _matches(wanted: str, app_id: str, app_name: str) -> bool:
    return not wanted or wanted == app_id or wanted.casefold() == app_name.casefold()


def _running(attempt: Running, now: datetime) -> dict[str, Any]:
    return {
        "app_id": attempt.findings.app_id,
        "app_name": attempt.findings.app_name,
        "job_id": attempt.ref.job_id,
        "generation": attempt.ref.generation,
        "attempt": attempt.ref.attempt,
        "phase": attempt.phase.value,
        "phase_summary": attempt.phase.summary,
        "waiting": None if attempt.wait is None else attempt.wait.as_of(now).model_dump(mode="json"),
    }


def _text(states: list[AppState], running: list[dict[str, Any]]) -> str:
    blocks = [_running_text(attempt) for attempt in running] + [_state_text(state) for state in states]
    return "\n\n".join(blocks) or "No app has been processed on this device yet."


def _running_text(attempt: dict[str, Any]) -> str:
    name = attempt["app_name"] or attempt["job_id"]
    words = f"{name}: under way, attempt {attempt['attempt']}, {attempt['phase']}: {attempt['phase_summary']}"
    if attempt["waiting"] is None:
        return words
    wait = Wait.model_validate(attempt["waiting"])
    return f"{words}\n  tried again at {_time(wait.at)} because {wait.reason.sentence} {wait.detail}".rstrip()


def _state_text(state: AppState) -> str:
    version = f" {state.app_version}" if state.app_version else ""
    lines = [f"{state.app_name}{version} (revision {state.revision}, {state.intent.name.lower()}): {state.outcome}"]
    lines.append(f"  {_states(state)}, since {_time(state.updated_at)}")
    if state.raw_exit_code is not None:
        lines.append(f"  exit code {state.raw_exit_code}")
    if state.error is not None:
        code = ErrorCode.from_slug(state.error.code)
        lines.append(f"  {state.error.phase}: {code.sentence} {state.error.detail}")
        lines.append(f"  hint: {code.hint}")
    if state.grs_expires_at is not None:
        lines.append(f"  the wait after failures (GRS) ends at {_time(state.grs_expires_at)}")
    if state.next_action is not None:
        lines.append(f"  next attempt at {_time(state.next_action.at)} because {state.next_action.reason.sentence}")
    return "\n".join(lines)


def _states(state: AppState) -> str:
    """The states with the numbers that people and tools know them by."""
    numbered = (state.compliance.compliance_state, state.enforcement.enforcement_state, state.compliance.applicability)
    names = ("compliance", "enforcement", "applicability")
    return ", ".join(f"{name} {word(number)} ({number.value})" for name, number in zip(names, numbered, strict=True))


def _time(moment: datetime) -> str:
    return moment.astimezone().isoformat(sep=" ", timespec="seconds")
