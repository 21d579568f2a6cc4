"""`outrider-control shards`: the brokers that devices are spread over, and moving devices between them."""

import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from typing import Annotated, Any, Final

import typer

from control.bootstrap import make_services
from control.cli.options import Json
from control.cli.output import handled, print_json
from control.database.tables import Role
from control.security.operators import on_this_machine
from control.server.logs import configure_logs
from control.services import Services
from control.settings import load_settings
from control.shards.addresses import find_shards
from control.shards.counts import ShardCount, shard_counts
from control.shards.moving import begin_moves, misplaced_devices

shards_app = typer.Typer(no_args_is_help=True, help="The brokers that devices are spread over.")

#: Devices that begin to move together.
_STEP: Final = 100

Without = Annotated[
    list[str] | None,
    typer.Option("--without", metavar="NAME", help="As if this shard were not there, so that it can be taken away."),
]


@shards_app.command("list")
def list_shards(as_json: Json = False) -> None:
    """Show each shard: where devices reach it, how many are there, coming, and gone within the last minute."""
    with handled(as_json=as_json), _opened() as services:
        with services.database.snapshot() as session:
            counts = shard_counts(session, services.enrollment.shards)
        found = [(count, services.enrollment.broker_urls[count.shard]) for count in counts]
        _show([_facts(*one) for one in found], [_line(*one) for one in found], as_json=as_json)


@shards_app.command()
def plan(without: Without = None, as_json: Json = False) -> None:
    """Show how many devices `move` would move from where to where; nothing is changed.

    Example: outrider-control shards plan --without two
    """
    with handled(as_json=as_json), _opened() as services:
        with services.database.snapshot() as session:
            ways = Counter((at, home) for _, at, home in misplaced_devices(session, _wanted(services, without)))
        facts = [{"from": at, "to": home, "devices": count} for (at, home), count in sorted(ways.items())]
        lines = [f"{count:>9} devices from {at} to {home}" for (at, home), count in sorted(ways.items())]
        _show(facts, lines or ["All devices are where they belong."], as_json=as_json)


@shards_app.command()
def move(
    without: Without = None,
    per_second: Annotated[
        float, typer.Option(min=0.1, metavar="NUMBER", help="Devices that begin to move each second, on average.")
    ] = 25.0,
    as_json: Json = False,
) -> None:
    """Move devices to the shards they belong at, in small steps; interrupted, it can be run again.

    Needs the API's environment. Devices that are online hear of it at once, the others when they are back.

    Example: outrider-control shards move --without two --per-second 50
    """
    configure_logs()
    with handled(as_json=as_json), _opened() as services:
        moved = sum(_steps(services, _wanted(services, without), per_second))
        text = "`outrider-control shards list` shows how many are on their way."
        _show({"devices": moved}, [f"{moved} devices begin to move. {text}"], as_json=as_json)


@contextmanager
def _opened() -> Iterator[Services]:
    services = make_services(load_settings())
    with closing(services.database):
        yield services


def _wanted(services: Services, without: list[str] | None) -> Collection[str]:
    shards = services.settings.shards
    left_out = {shard.name for shard in find_shards(shards, without or [])}
    wanted = [shard.name for shard in shards if shard.name not in left_out]
    if not wanted:
        raise typer.BadParameter("expected at least one shard to be left", param_hint="--without")
    return wanted


def _steps(services: Services, wanted: Collection[str], per_second: float) -> Iterator[int]:
    with services.database.snapshot() as session:
        misplaced = iter([device_id for device_id, _, _ in misplaced_devices(session, wanted)])
    while step := list(islice(misplaced, _STEP)):
        yield _begin(services, step, wanted)
        time.sleep(len(step) / per_second)


def _begin(services: Services, device_ids: list[str], wanted: Collection[str]) -> int:
    now, window = services.clock.now(), services.settings.online_window
    actor, to = on_this_machine(Role.ADMIN), ", ".join(wanted)
    with services.database.transaction() as session:
        users = services.brokers.users
        moving = begin_moves(session, device_ids, wanted, users, online_since=now - window, now=now)
        services.audit.record(session, actor, "shards.move", to, now=now, after={"devices": len(device_ids)})
        return moving


def _facts(count: ShardCount, address: str) -> dict[str, Any]:
    return {"name": count.shard, "address": address, "here": count.here, "coming": count.coming, "left": count.left}


def _line(count: ShardCount, address: str) -> str:
    return f"{count.shard:<12} {address:<40} {count.here:>8} here {count.coming:>8} coming {count.left:>8} left"


def _show(facts: Any, lines: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json(facts)
    else:
        typer.echo("\n".join(lines))
