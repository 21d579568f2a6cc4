"""Tables of the API's views; commands print them, and the demo shows them live."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from contract.jobs import JobState
from contract.printable import printable
from control.cli.words import (
    ago_word,
    counts_word,
    duration_word,
    next_action_word,
    progress_word,
    size_word,
    state_word,
    time_word,
)
from control.views.catalog import AppView, RevisionView
from control.views.fleet import DeviceView, GroupView
from control.views.jobs import JobView, PhaseView
from control.views.steering import SteeredJob
from control.waiting import WaitingFor

_STATE_STYLES = {
    JobState.PLANNED: "dim",
    JobState.SENT: "cyan",
    JobState.RUNNING: "bold cyan",
    JobState.WAITING: "yellow",
    JobState.HELD: "yellow",
    JobState.CANCELLING: "yellow",
    JobState.FINISHED: "green",
    JobState.CANCELLED: "dim",
}

#: A manifest's list, what it says of the apps in it, and the field that says how.
_RELATIONS = (
    ("dependencies", "depends on", "dependencyType"),
    ("supersedence", "supersedes", "supersedenceType"),
)


def status_view(jobs: Sequence[JobView], now: datetime) -> RenderableType:
    """Where each job is and what came of it; below, for those that have it, what happens next and what to do."""
    table = plain_table("device", "app", "phase", "progress", "state", "outcome", "exit")
    for job in jobs:
        table.add_row(
            job.device,
            _app(job),
            job.phase or "",
            progress_word(job),
            Text(state_word(job), style=_state_style(job)),
            job.outcome or "",
            "" if job.raw_exit_code is None else str(job.raw_exit_code),
        )
    notes = _notes(jobs, now)
    counts = Text(counts_word(jobs), style="dim")
    return Group(table, Text(), notes, Text(), counts) if notes.row_count else Group(table, Text(), counts)


def _notes(jobs: Iterable[JobView], now: datetime) -> Table:
    notes = Table.grid(padding=(0, 2))
    notes.add_column(style="bold")
    notes.add_column(style="dim")
    notes.add_column(overflow="fold")
    for job in jobs:
        next_action = "" if job.waiting_for is WaitingFor.PHASE else next_action_word(job, now)
        lines = [("next", next_action), ("hint", job.hint)]
        for number, (what, line) in enumerate(entry for entry in lines if entry[1]):
            notes.add_row("" if number else f"{job.device} {_app(job)}", what, line)
    return notes


def _app(job: JobView) -> str:
    return f"{job.app} r{job.revision}" + (f" for {job.for_app}" if job.for_app else "")


def app_table(apps: Iterable[AppView]) -> Table:
    """All apps."""
    table = plain_table("name", "version", "publisher", "revision", "created")
    for app in apps:
        table.add_row(app.name, app.display_version, app.publisher, str(app.revision), time_word(app.created_at))
    return table


def revision_table(revisions: Iterable[RevisionView]) -> Table:
    """The revisions of an app."""
    table = plain_table("revision", "version", "content", "size", "created")
    for revision in revisions:
        table.add_row(
            str(revision.number),
            revision.display_version,
            revision.package_digest,
            size_word(revision.size),
            time_word(revision.created_at),
        )
    return table


def relation_table(manifest: Mapping[str, Any]) -> Table:
    """The other apps that a manifest names."""
    table = plain_table("relation", "app", "type")
    for name, relation, kind in _RELATIONS:
        for entry in manifest.get(name, ()):
            table.add_row(relation, printable(entry["app"]), entry[kind])
    return table


def group_table(groups: Iterable[GroupView]) -> Table:
    """All groups."""
    table = plain_table("name", "devices", "rule", "created")
    for group in groups:
        table.add_row(group.name, str(group.members), group.rule or "", time_word(group.created_at))
    return table


def device_table(devices: Iterable[DeviceView], now: datetime) -> Table:
    """Devices."""
    table = plain_table("name", "id", "online", "system", "agent", "last seen")
    for device in devices:
        system = f"{device.os_name} {device.os_version} {device.architecture}"
        online = Text("yes", style="green") if device.online else Text("no", style="dim")
        table.add_row(device.name, device.id, online, system, device.agent_version, ago_word(device.last_seen_at, now))
    return table


def phase_table(phases: Sequence[PhaseView]) -> Table:
    """The phases of a job's attempts with their times."""
    table = plain_table("attempt", "phase", "outcome", "took", "bytes", "what it found")
    for phase in phases:
        table.add_row(
            f"{phase.generation}.{phase.attempt}",
            phase.phase,
            phase.outcome,
            duration_word(phase.duration_seconds),
            size_word(phase.bytes_done) if phase.bytes_done else "",
            phase.summary,
        )
    return table


def steering_table(jobs: Iterable[SteeredJob]) -> Table:
    """What came of a retry or a cancel, job by job."""
    table = plain_table("device", "app", "was", "now", "job")
    for job in jobs:
        table.add_row(job.device, job.app, job.state, job.refusal or job.change, job.id)
    return table


def _state_style(job: JobView) -> str:
    failed = job.outcome is not None and not job.outcome.as_desired
    return "red" if failed and job.state is JobState.FINISHED else _STATE_STYLES[job.state]


def plain_table(*columns: str) -> Table:
    """An empty table with these columns, as all tables of the commands look."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
