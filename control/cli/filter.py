"""`outrider filter`: rules over the facts of devices."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated

import typer

from contract.printable import printable
from control.cli.connection import connect
from control.cli.options import STATUSES, Json
from control.cli.output import handled, print_json, say
from control.cli.printing import print_table, print_views
from control.cli.rule_tables import filter_table, match_table, property_table, verdict_lines
from control.filters.properties import Property
from control.views.filters import FilterRequest, MatchView

filter_app = typer.Typer(no_args_is_help=True, help="Rules over the facts of devices.")

Name = Annotated[str, typer.Argument(help="The filter's name.")]
Rule = Annotated[str, typer.Argument(help="A rule, such as 'device.site -eq \"Berlin\"'.")]


@filter_app.command("create", epilog=STATUSES)
def create(name: Name, rule: Rule, as_json: Json = False) -> None:
    """Make a filter; doing it again changes nothing.

    Example: outrider filter create berlin 'device.site -eq "Berlin" and device.memoryInMB -ge 4096'
    """
    with handled(as_json=as_json):
        with connect() as client:
            made = client.create_filter(FilterRequest.model_construct(name=name, rule=rule))
        if as_json:
            print_views(made)
        else:
            typer.echo(f"Filter {made.name}: {printable(made.rule)}")


@filter_app.command("change", epilog=STATUSES)
def change(name: Name, rule: Rule, as_json: Json = False) -> None:
    """Give a filter another rule; assignments that use it follow at once.

    Example: outrider filter change berlin 'device.site -startsWith "Berlin"'
    """
    with handled(as_json=as_json):
        with connect() as client:
            changed = client.change_filter(name, rule)
        if as_json:
            print_views(changed)
        else:
            typer.echo(f"Filter {changed.name}: {printable(changed.rule)}")


@filter_app.command("list", epilog=STATUSES)
def list_filters(as_json: Json = False) -> None:
    """List the filters."""
    with handled(as_json=as_json):
        with connect() as client:
            filters = list(client.filters())
        if as_json:
            print_views(filters)
        else:
            print_table(filter_table(filters))


@filter_app.command("show", epilog=STATUSES)
def show(name: Name, as_json: Json = False) -> None:
    """Show a filter and who uses it.

    Example: outrider filter show berlin
    """
    with handled(as_json=as_json):
        with connect() as client:
            found = client.filter(name)
            users = [made for made in client.assignments() if made.filter == name]
        if as_json:
            print_json({**found.model_dump(mode="json"), "assignments": [f"{one.app} on {one.group}" for one in users]})
        else:
            typer.echo(printable(f"{found.name}: {found.rule}"))
            for made in users:
                typer.echo(printable(f"used by {made.app} on {made.group}, which it {made.filter_mode}s"))


@filter_app.command("delete", epilog=STATUSES)
def delete(name: Name, as_json: Json = False) -> None:
    """Remove a filter that no assignment uses.

    Example: outrider filter delete berlin
    """
    with handled(as_json=as_json), connect() as client:
        client.delete_filter(name)
        say(f"Filter {name} is gone.", {"deleted": name}, as_json=as_json)


@filter_app.command("test", epilog=STATUSES)
def try_rule(
    rule: Rule,
    device: Annotated[str | None, typer.Option("--device", "-d", help="Only this device, by name or id.")] = None,
    as_json: Json = False,
) -> None:
    """Say which devices a rule matches, and why, comparison by comparison; nothing is changed.

    Example: outrider filter test 'device.operatingSystemVersion -ge 12' --device desk-1
    """
    with handled(as_json=as_json), connect() as client:
        if device is not None:
            found = client.match(rule, device)
            if as_json:
                print_views(found)
            else:
                for line in verdict_lines(found):
                    typer.echo(printable(line))
        else:
            _print_matches(client.matches(rule), as_json=as_json)


@filter_app.command("properties", epilog="Exit status: 0 done.")
def properties(as_json: Json = False) -> None:
    """List what a rule can ask for.

    Example: outrider filter properties
    """
    with handled(as_json=as_json):
        if as_json:
            print_json([{"property": each.word, "kind": each.kind, "meaning": each.meaning} for each in Property])
        else:
            print_table(property_table())


def _print_matches(matches: Iterable[MatchView], *, as_json: bool) -> None:
    shown = list(matches)
    if as_json:
        print_views(shown)
        return
    print_table(match_table(shown))
    counts = Counter(match.matches for match in shown)
    typer.echo(f"{counts[True]} of {len(shown)} devices match.")
