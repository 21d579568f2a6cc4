"""`outrider group set-rule|explain|delete`: groups whose members a rule chooses, and groups no longer needed."""

from typing import Annotated

import typer

from contract.printable import printable
from control.cli.connection import connect
from control.cli.options import STATUSES, IfMatch, Json
from control.cli.output import handled, say
from control.cli.printing import print_views
from control.cli.rule_tables import verdict_lines

group_rules_app = typer.Typer()

Group = Annotated[str, typer.Argument(help="The group's name.")]


@group_rules_app.command("set-rule", epilog=STATUSES)
def set_rule(
    name: Group,
    rule: Annotated[str | None, typer.Argument(help="The rule; without one operators choose the members.")] = None,
    if_match: IfMatch = None,
    as_json: Json = False,
) -> None:
    """Let another rule choose a group's members; without a rule they stay as they are, for operators to change.

    Example: outrider group set-rule berlin 'device.site -startsWith "Berlin"'
    """
    with handled(as_json=as_json):
        with connect() as client:
            group = client.set_rule(name, rule, if_match=if_match)
        if as_json:
            print_views(group)
        else:
            chosen = f"those that match {group.rule}" if group.rule else "chosen by operators"
            typer.echo(printable(f"{group.name} has {group.members} devices, {chosen}."))


@group_rules_app.command("explain", epilog=STATUSES)
def explain(
    name: Group, device: Annotated[str, typer.Argument(help="The device's name or id.")], as_json: Json = False
) -> None:
    """Say why a device is, or is not, in a group with a rule, comparison by comparison.

    Example: outrider group explain berlin desk-1
    """
    with handled(as_json=as_json):
        with connect() as client:
            match = client.why_member(name, device)
        if as_json:
            print_views(match)
        else:
            for line in verdict_lines(match):
                typer.echo(printable(line))


@group_rules_app.command("delete", epilog=STATUSES)
def delete(name: Group, if_match: IfMatch = None, as_json: Json = False) -> None:
    """Remove a group that neither assignments nor tokens refer to; its devices stay enrolled.

    Example: outrider group delete desks
    """
    with handled(as_json=as_json), connect() as client:
        client.delete_group(name, if_match=if_match)
        say(f"Group {name} is gone.", {"deleted": name}, as_json=as_json)
