"""`outrider sync`: have devices check in now."""

from typing import Annotated

import typer

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.printable import printable
from control.cli.connection import connect
from control.cli.job_options import DryRun
from control.cli.options import STATUSES, Json
from control.cli.output import handled
from control.cli.printing import print_views
from control.views.calls import DeviceSelection, SyncReply, SyncRequest

sync_app = typer.Typer()


@sync_app.command("sync", epilog=STATUSES)
def sync(
    device: Annotated[str | None, typer.Argument(help="The device's name or id.")] = None,
    *,
    group: Annotated[str | None, typer.Option("--group", "-g", help="The devices of this group.")] = None,
    app: Annotated[str | None, typer.Option("--app", "-a", help="The devices with jobs of this app.")] = None,
    rollout: Annotated[str | None, typer.Option("--rollout", "-r", help="The devices in this rollout.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="The whole fleet.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Have devices check in now: those that are online within seconds, the others when they are back.

    A device that is called says how it is, is planned for, and gets what is due for it.

    Example: outrider sync desk-1
    """
    selection = DeviceSelection(device=device, group=group, app=app, rollout=rollout, everything=everything)
    with handled(as_json=as_json):
        if selection == DeviceSelection():
            detail = "expected a device, or at least one of --group, --app and --rollout, or --all"
            raise InputError(ErrorCode.DOCUMENT_INVALID, detail=detail)
        with connect() as client:
            reply = client.sync(SyncRequest(selection=selection, dry_run=dry_run))
        if as_json:
            print_views(reply)
        else:
            _print(reply)


def _print(reply: SyncReply) -> None:
    dry = "Nothing is done yet. " if reply.dry_run else ""
    typer.echo(f"{dry}Of {reply.matched} devices: {reply.called} called, {reply.offline} offline.")
    for name in reply.devices:
        typer.echo(printable(f"  {name}"))
    if len(reply.devices) < reply.called:
        typer.echo(f"  ... and {reply.called - len(reply.devices)} more.")
