"""How a command is told which jobs it is about."""

from typing import Annotated

import typer

from contract.jobs import JobState
from contract.states import Outcome

Target = Annotated[str | None, typer.Argument(help="An app, a rollout, a group or a device, whichever has this name.")]
App = Annotated[str | None, typer.Option("--app", "-a", help="The newest jobs of this app.")]
Device = Annotated[str | None, typer.Option("--device", "-d", help="The newest jobs of this device, by name or id.")]
Group = Annotated[str | None, typer.Option("--group", "-g", help="The newest jobs of this group's devices.")]
Rollout = Annotated[str | None, typer.Option("--rollout", "-r", help="The newest jobs that this rollout is about.")]
State = Annotated[JobState | None, typer.Option("--state", help="Only jobs in this state.")]
Ended = Annotated[Outcome | None, typer.Option("--outcome", help="Only jobs whose newest attempt ended so.")]
Error = Annotated[str | None, typer.Option("--error", help="Only jobs with this error, such as download-failed.")]
All = Annotated[bool, typer.Option("--all", help="The whole fleet.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would come of it.")]
