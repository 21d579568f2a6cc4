"""`outrider group`: groups of devices."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from control.cli.connection import connect
from control.cli.options import STATUSES, Json
from control.cli.output import handled, print_json, say
from control.cli.printing import print_tables, print_views
from control.cli.tables import device_table, group_table

group_app = typer.Typer(no_args_is_help=True, help="Groups of devices.")

Group = Annotated[str, typer.Argument(help="The group's name.")]
Devices = Annotated[list[str], typer.Argument(help="Devices by name or id.")]


@group_app.command("create", epilog=STATUSES)
def create(
    name: Group,
    rule: Annotated[str | None, typer.Option(help="Its members are the devices that match, now and later.")] = None,
    as_json: Json = False,
) -> None:
    """Make a group, empty or with the devices that match a rule; doing it again changes nothing.

    Example: outrider group create berlin --rule 'device.site -eq "Berlin"'
    """
    with handled(as_json=as_json):
        with connect() as client:
            group = client.create_group(name, rule)
        if as_json:
            print_views(group)
        else:
            typer.echo(f"Group {group.name} is there, with {group.members} devices.")


@group_app.command("list", epilog=STATUSES)
def list_groups(as_json: Json = False) -> None:
    """List the groups."""
    with handled(as_json=as_json), connect() as client:
        if as_json:
            print_views(client.groups())
        else:
            print_tables(client.groups(), group_table)


@group_app.command("show", epilog=STATUSES)
def show(name: Group, as_json: Json = False) -> None:
    """Show a group and the devices in it.

    Example: outrider group show desks
    """
    with handled(as_json=as_json), connect() as client:
        found = client.group(name)
        if as_json:
            members = [member.model_dump(mode="json") for member in client.members(name)]
            print_json({**found.view.model_dump(mode="json"), "devices": members, "etag": found.tag})
        else:
            typer.echo(f"{found.view.name}: {found.view.members} devices")
            print_tables(client.members(name), lambda rows: device_table(rows, datetime.now(UTC)))


@group_app.command("add", epilog=STATUSES)
def add(name: Group, devices: Devices, as_json: Json = False) -> None:
    """Put devices into a group.

    Example: outrider group add desks desk-1 desk-2
    """
    with handled(as_json=as_json), connect() as client:
        for device in devices:
            client.add_member(name, device)
        words = "\n".join(f"{device} is in {name}." for device in devices)
        say(words, {"group": name, "added": devices}, as_json=as_json)


@group_app.command("remove", epilog=STATUSES)
def remove(name: Group, devices: Devices, as_json: Json = False) -> None:
    """Take devices out of a group; what the group wanted of them is no longer wanted.

    Example: outrider group remove desks desk-1
    """
    with handled(as_json=as_json), connect() as client:
        for device in devices:
            client.remove_member(name, device)
        words = "\n".join(f"{device} is not in {name}." for device in devices)
        say(words, {"group": name, "removed": devices}, as_json=as_json)
