"""`outrider assign`: want an app on a group, or leave a group out."""

import shlex
from datetime import datetime
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from contract.errors import InputError
from contract.policy import DeliveryPriority
from contract.printable import printable
from control.catalog.assignment_entries import MaintenanceWindowEntry
from control.catalog.manifest_entries import NotificationWord, RestartSettingsEntry
from control.cli.assignment_words import wish_line
from control.cli.connection import connect
from control.cli.options import STATUSES, IfMatch, IntentWord, Json
from control.cli.output import handled
from control.cli.printing import print_views
from control.cli.rollout_words import window_of
from control.targeting import Mode, TimeBasis
from control.views.assignments import AssignmentRequest

assign_app = typer.Typer()


def parse_moment(text: str) -> datetime:
    """A date and time as ISO 8601 has it.

    Raises:
        typer.BadParameter: It is none.
    """
    try:
        return TypeAdapter(datetime).validate_strings(text)
    except ValidationError:
        example = "2026-03-01T08:00 or 2026-03-01T08:00+01:00"
        raise typer.BadParameter(f"expected a time such as {example}; found {text!r}") from None


@assign_app.command("assign", epilog=STATUSES)
def assign(
    app: Annotated[str, typer.Argument(help="The app's name or id.")],
    *,
    group: Annotated[str, typer.Option("--group", "-g", help="The group's name.")],
    intent: Annotated[
        IntentWord | None, typer.Option(help="What is wanted of the app; `required` unless said otherwise.")
    ] = None,
    exclude: Annotated[bool, typer.Option("--exclude", help="Leave the group out, whatever other groups say.")] = False,
    filter_name: Annotated[str | None, typer.Option("--filter", help="Only devices that this filter matches.")] = None,
    exclude_filter: Annotated[
        str | None, typer.Option("--exclude-filter", help="Only devices that this filter does not match.")
    ] = None,
    start: Annotated[
        datetime | None, typer.Option(parser=parse_moment, metavar="TIME", help="Nothing happens earlier.")
    ] = None,
    deadline: Annotated[
        datetime | None,
        typer.Option(parser=parse_moment, metavar="TIME", help="When to install; content is fetched before."),
    ] = None,
    local: Annotated[bool, typer.Option("--local", help="Both times are those of each device's own clock.")] = False,
    notifications: Annotated[
        NotificationWord | None, typer.Option(help="What the person at the device is told.")
    ] = None,
    restart_grace: Annotated[
        float | None, typer.Option(metavar="MINUTES", help="How long a restart may be put off.")
    ] = None,
    window: Annotated[
        list[str], typer.Option("--window", help="When commands may run, by the devices' clocks: 'mon-fri 22:00+4h'.")
    ] = [],  # noqa: B006  Typer makes a new one
    priority: Annotated[
        DeliveryPriority, typer.Option(help="How soon beside other work.")
    ] = DeliveryPriority.BACKGROUND,
    if_match: IfMatch = None,
    as_json: Json = False,
) -> None:
    """Want an app on the devices of a group; devices that are online begin at once.

    A group has one intent for an app: assigning it again changes intent and terms to what is said now. Where the
    groups of a device want different things, required beats uninstall, and exclusion beats everything.

    Example: outrider assign Editor --group desks --filter berlin --deadline 2026-03-01T20:00 --local
    """
    with handled(as_json=as_json):
        if filter_name and exclude_filter:
            raise typer.BadParameter("expected one of --filter and --exclude-filter, found both")
        request = AssignmentRequest(
            app=app,
            group=group,
            intent=None if intent is None else intent.intent,
            mode=Mode.EXCLUDE if exclude else Mode.INCLUDE,
            filter=filter_name or exclude_filter,
            filter_mode=Mode.EXCLUDE if exclude_filter else None,
            start=start,
            deadline=deadline,
            time_basis=TimeBasis.LOCAL if local else TimeBasis.UTC,
            notifications=notifications,
            restart_settings=_restart(restart_grace),
            maintenance_windows=tuple(_window(text) for text in window),
            delivery_priority=priority,
        )
        with connect() as client:
            made = client.assign(request, if_match=if_match)
        if as_json:
            print_views(made)
        else:
            watch = f"outrider status {shlex.quote(made.app)} --watch"
            typer.echo(printable(f"{wish_line(made)}. Watch it: {watch}"))


def _window(text: str) -> MaintenanceWindowEntry:
    try:
        return MaintenanceWindowEntry.model_validate(window_of(text))
    except InputError as error:
        raise typer.BadParameter(f"{error.place}: {error.detail}") from None
    except ValidationError as error:
        raise typer.BadParameter(f"--window {text!r}: {error.errors()[0]['msg']}") from None


def _restart(grace_minutes: float | None) -> RestartSettingsEntry | None:
    if grace_minutes is None:
        return None
    try:
        return RestartSettingsEntry(grace_period_in_minutes=grace_minutes)
    except ValidationError as error:
        raise typer.BadParameter(f"--restart-grace: {error.errors()[0]['msg']}, found {grace_minutes:g}") from None
