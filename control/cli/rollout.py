"""`outrider rollout`: bring a new revision to devices ring by ring."""

from pathlib import Path
from typing import Annotated

import typer

from control.cli.connection import connect
from control.cli.options import STATUSES, Json
from control.cli.output import handled
from control.cli.printing import print_table, print_tables, print_views
from control.cli.rollout_file import read_spec
from control.cli.rollout_tables import (
    forecast_view,
    rollout_device_table,
    rollout_event_table,
    rollout_table,
    rollout_view,
)
from control.cli.rollout_watch import WATCH_STATUSES, end_of, follow
from control.cli.rollout_words import RING_FORM, named_limits, spec_of
from control.rollouts.spec import RolloutSpec
from control.rollouts.states import OperatorAction
from control.views.rollouts import RolloutDetail, RolloutOrder, RolloutRequest

rollout_app = typer.Typer(no_args_is_help=True, help="Bring a new revision to devices ring by ring.")

Name = Annotated[str, typer.Argument(help="The rollout's name or id.", show_default=False)]
App = Annotated[str, typer.Argument(help="The app's name or id.", show_default=False)]
Reason = Annotated[str, typer.Option(help="Why, for whoever reads its history.")]
Rings = Annotated[list[str], typer.Option("--ring", help=f"{RING_FORM}; SIZE is 5%, 50, group:A+B or rest.")]
Windows = Annotated[
    list[str], typer.Option("--window", help="When devices may begin, by their own clocks: 'mon-fri 22:00+4h'.")
]
AtOnce = Annotated[int | None, typer.Option(min=1, help="So many devices at work at once.")]
GroupLimits = Annotated[list[str], typer.Option("--at-once-in-group", help="GROUP=NUMBER, as often as you like.")]
SiteLimits = Annotated[list[str], typer.Option("--at-once-at-site", help="SITE=NUMBER, as often as you like.")]
EachSite = Annotated[int | None, typer.Option("--at-once-each-site", min=1, help="The same for every other site.")]
RollBack = Annotated[bool, typer.Option("--rollback-on-failure", help="Roll back where a failure gate trips.")]
SpecFile = Annotated[
    Path | None, typer.Option("--file", "-f", help="A YAML file that says all of this instead.", show_default=False)
]
Revision = Annotated[int | None, typer.Option(min=1, help="Only if this is still the newest revision.")]


@rollout_app.command("plan", epilog=STATUSES)
def plan(
    app: App,
    *,
    ring: Rings = [],  # noqa: B006  Typer copies it
    window: Windows = [],  # noqa: B006
    at_once: AtOnce = None,
    at_once_in_group: GroupLimits = [],  # noqa: B006
    at_once_at_site: SiteLimits = [],  # noqa: B006
    at_once_each_site: EachSite = None,
    rollback_on_failure: RollBack = False,
    file: SpecFile = None,
    revision: Revision = None,
    as_json: Json = False,
) -> None:
    """Say what a rollout would do: devices by ring, bytes, time, what is not applicable and why. Nothing is changed.

    Example: outrider rollout plan Editor --ring canary=5%,soak=1h --ring all=rest
    """
    with handled(as_json=as_json):
        limits = _limits(at_once, at_once_in_group, at_once_at_site, at_once_each_site)
        spec = _spec(ring, window, limits, rollback_on_failure, file)
        with connect() as client:
            forecast = client.forecast_rollout(RolloutRequest(app=app, revision=revision, spec=spec))
        if as_json:
            print_views(forecast)
        else:
            print_table(forecast_view(forecast))


@rollout_app.command("create", epilog=STATUSES)
def create(
    app: App,
    *,
    name: Annotated[str | None, typer.Option(help="Its name; else the app's and revision's.")] = None,
    ring: Rings = [],  # noqa: B006
    window: Windows = [],  # noqa: B006
    at_once: AtOnce = None,
    at_once_in_group: GroupLimits = [],  # noqa: B006
    at_once_at_site: SiteLimits = [],  # noqa: B006
    at_once_each_site: EachSite = None,
    rollback_on_failure: RollBack = False,
    file: SpecFile = None,
    revision: Revision = None,
    start: Annotated[bool, typer.Option("--start", help="Start it at once.")] = False,
    as_json: Json = False,
) -> None:
    """Make a rollout of an app's newest revision: devices keep what they have until it reaches them.

    Without rings it has one, of all devices.

    Example: outrider rollout create Editor --ring pilot=group:pilot,soak=1d --ring 1=10%,failure=2% --ring all=rest
    """
    with handled(as_json=as_json):
        limits = _limits(at_once, at_once_in_group, at_once_at_site, at_once_each_site)
        spec = _spec(ring, window, limits, rollback_on_failure, file)
        with connect() as client:
            made = client.create_rollout(RolloutRequest(app=app, revision=revision, name=name, spec=spec))
            if start:
                made = client.steer_rollout(made.id, OperatorAction.START, RolloutOrder())
        _print(made, as_json=as_json)


@rollout_app.command("list", epilog=STATUSES)
def list_rollouts(
    app: Annotated[str | None, typer.Option(help="Only rollouts of this app.")] = None, as_json: Json = False
) -> None:
    """List the rollouts, oldest first.

    Example: outrider rollout list --app Editor
    """
    with handled(as_json=as_json), connect() as client:
        if as_json:
            print_views(client.rollouts(app=app))
        else:
            print_tables(client.rollouts(app=app), rollout_table)


@rollout_app.command("status", epilog=WATCH_STATUSES)
def status(
    name: Name,
    watch: Annotated[bool, typer.Option("--watch", help="Follow until it does not move by itself any more.")] = False,
    as_json: Json = False,
) -> None:
    """Show a rollout: its rings, their gates, and what happens next.

    Example: outrider rollout status "Editor r2" --watch
    """
    with handled(as_json=as_json), connect() as client:
        if watch:
            found = follow(lambda: client.rollout(name), shown=not as_json)
        else:
            found = client.rollout(name)
            if not as_json:
                print_table(rollout_view(found))
        if as_json:
            print_views(found)
        if watch:
            raise typer.Exit(end_of(found))


@rollout_app.command("devices", epilog=STATUSES)
def devices(
    name: Name,
    ring: Annotated[str | None, typer.Option(help="Only devices of this ring.")] = None,
    as_json: Json = False,
) -> None:
    """List the devices of a rollout.

    Example: outrider rollout devices "Editor r2" --ring canary
    """
    with handled(as_json=as_json), connect() as client:
        if as_json:
            print_views(client.rollout_devices(name, ring=ring))
        else:
            print_tables(client.rollout_devices(name, ring=ring), rollout_device_table)


@rollout_app.command("history", epilog=STATUSES)
def history(name: Name, as_json: Json = False) -> None:
    """List what happened to a rollout, oldest first.

    Example: outrider rollout history "Editor r2"
    """
    with handled(as_json=as_json), connect() as client:
        if as_json:
            print_views(client.rollout_events(name))
        else:
            print_tables(client.rollout_events(name), rollout_event_table)


@rollout_app.command("start", epilog=STATUSES)
def start(name: Name, reason: Reason = "", as_json: Json = False) -> None:
    """Start a rollout: its first ring is opened.

    Example: outrider rollout start "Editor r2"
    """
    _steer(name, OperatorAction.START, reason, as_json=as_json)


@rollout_app.command("pause", epilog=STATUSES)
def pause(name: Name, reason: Reason = "", as_json: Json = False) -> None:
    """Pause a rollout: nothing that has not been sent begins; what devices have got goes on.

    Example: outrider rollout pause "Editor r2" --reason "support is away"
    """
    _steer(name, OperatorAction.PAUSE, reason, as_json=as_json)


@rollout_app.command("resume", epilog=STATUSES)
def resume(name: Name, reason: Reason = "", as_json: Json = False) -> None:
    """Resume a rollout that was paused or halted; the failures of a halted one are accepted.

    Example: outrider rollout resume "Editor r2" --reason "known defect of two devices"
    """
    _steer(name, OperatorAction.RESUME, reason, as_json=as_json)


@rollout_app.command("halt", epilog=STATUSES)
def halt(name: Name, reason: Reason = "", as_json: Json = False) -> None:
    """Halt a rollout as its failure gates do.

    Example: outrider rollout halt "Editor r2" --reason "printing is broken"
    """
    _steer(name, OperatorAction.HALT, reason, as_json=as_json)


@rollout_app.command("cancel", epilog=STATUSES)
def cancel(name: Name, reason: Reason = "", as_json: Json = False) -> None:
    """Give a rollout up: devices it has reached keep the revision, the app is pinned to the one from before.

    Example: outrider rollout cancel "Editor r2"
    """
    _steer(name, OperatorAction.CANCEL, reason, as_json=as_json)


@rollout_app.command("rollback", epilog=STATUSES)
def rollback(name: Name, reason: Reason = "", as_json: Json = False) -> None:
    """Take a rollout back: devices it has reached get the revision from before, under a new number.

    Example: outrider rollout rollback "Editor r2" --reason "it loses files"
    """
    _steer(name, OperatorAction.ROLL_BACK, reason, as_json=as_json)


def _steer(name: str, action: OperatorAction, reason: str, *, as_json: bool) -> None:
    with handled(as_json=as_json):
        with connect() as client:
            found = client.steer_rollout(name, action, RolloutOrder(reason=reason))
        _print(found, as_json=as_json)


def _print(found: RolloutDetail, *, as_json: bool) -> None:
    if as_json:
        print_views(found)
    else:
        print_table(rollout_view(found))


def _limits(
    at_once: int | None, groups: list[str], sites: list[str], each_site: int | None
) -> dict[str, int | dict[str, int] | None]:
    return {
        "rollout": at_once,
        "groups": named_limits(groups, "--at-once-in-group"),
        "sites": named_limits(sites, "--at-once-at-site"),
        "each_site": each_site,
    }


def _spec(
    rings: list[str],
    windows: list[str],
    limits: dict[str, int | dict[str, int] | None],
    rollback_on_failure: bool,
    file: Path | None,
) -> RolloutSpec:
    said = bool(rings or windows or any(limits.values()) or rollback_on_failure)
    if file is None:
        return spec_of(rings, windows, limits, rollback_on_failure=rollback_on_failure)
    return read_spec(file, alone=not said)
