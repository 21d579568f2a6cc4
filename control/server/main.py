"""`outrider-control`: set a control plane up and run its parts."""

import gc
from contextlib import closing
from datetime import timedelta
from typing import Annotated

import typer
import uvicorn

from contract.clock import SystemClock
from control.api.app import create_app
from control.audit.seals import AuditSealer
from control.audit.trail import AuditTrail
from control.bootstrap import beat_intervals, initialise, make_callers, make_inspector, make_publishers, make_services
from control.cli.output import handled, print_json
from control.database.session import Database
from control.database.tables import Role
from control.dispatch.celery_app import run_scheduler, run_worker
from control.security.operator_tokens import create_operator_token
from control.security.operators import on_this_machine
from control.server.device_requests import count_device_requests
from control.server.dispatcher import send_until_stopped
from control.server.history import history_app
from control.server.keys import keys_app
from control.server.logs import configure_logs
from control.server.serving import SERVING
from control.server.shards import shards_app
from control.server.tallies import tallies
from control.settings import load_settings
from control.shards.addresses import find_shards
from control.work import count_refused_message, handlers

app = typer.Typer(no_args_is_help=True, help="Set a control plane up and run its parts.")
token_app = typer.Typer(no_args_is_help=True, help="Tokens of operators.")
app.add_typer(token_app, name="token")
app.add_typer(keys_app, name="keys")
app.add_typer(history_app, name="history")
app.command()(tallies)
app.add_typer(shards_app, name="shards")


@app.command()
def init() -> None:
    """Make the database's tables, the key files and the bucket; doing it again changes nothing."""
    with handled():
        for line in initialise(load_settings()):
            typer.echo(line)


@token_app.command("create")
def token_create(
    name: Annotated[str, typer.Option(help="Whose token it is.")],
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.VIEWER,
    expires_in_days: Annotated[float | None, typer.Option(min=0, help="Days until it expires; never without.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make an operator's token and print it; it cannot be shown again.

    Example: outrider-control token create --name eve --role operator --expires-in-days 90
    """
    configure_logs()
    lifetime = None if expires_in_days is None else timedelta(days=expires_in_days)
    with handled(as_json=as_json):
        token = _new_token(name, role, lifetime)
    if as_json:
        print_json({"token": token, "name": name, "role": role.value})
    else:
        typer.echo(token)


@app.command("broker-users")
def broker_users() -> None:
    """Let all enrolled devices into the broker anew, and no others: for a broker that lost its users."""
    with handled():
        services = make_services(load_settings())
        with closing(services.database), services.database.snapshot() as session:
            count = services.enrollment.renew_broker_users(session)
    typer.echo(f"{count} devices may use the broker.")


@app.command()
def api(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8080,
) -> None:
    """Serve the API until SIGTERM or SIGINT.

    Example: outrider-control api --port 8000
    """
    configure_logs()
    count_device_requests()
    with handled():
        served = create_app(make_services(load_settings()))
        _keep_what_stands()
        uvicorn.run(served, host=host, port=port, **SERVING)


@app.command()
def worker(
    shards: Annotated[
        list[str] | None,
        typer.Option("--shard", metavar="NAME", help="Do nothing but send to the devices at this broker; repeatable."),
    ] = None,
) -> None:
    """Plan, send and reconcile until SIGTERM or SIGINT."""
    configure_logs()
    with handled():
        settings = load_settings()
        services = make_services(settings)
        if shards:
            send_until_stopped(services, find_shards(settings.shards, shards))
            return
        inspector = make_inspector(settings, services.database)
        tasks = handlers(services, make_publishers(settings.shards), inspector, make_callers(settings.shards))
        _keep_what_stands()
        run_worker(settings.broker_url.get_secret_value(), tasks, lambda: count_refused_message(services))


@app.command()
def scheduler() -> None:
    """Ask the workers at regular times to look for what is due, until SIGTERM or SIGINT."""
    configure_logs()
    with handled():
        settings = load_settings()
        run_scheduler(settings.broker_url.get_secret_value(), beat_intervals(settings))


def main() -> None:
    """Run the command line; every error ends in one clear sentence and its exit status."""
    app()


def _keep_what_stands() -> None:
    """What there is before the first request or task is there to stay: the collector need not walk through it."""
    gc.collect()
    gc.freeze()


def _new_token(name: str, role: Role, lifetime: timedelta | None) -> str:
    settings, now = load_settings(), SystemClock().now()
    trail = AuditTrail(AuditSealer.load(settings.state_dir))
    database = Database.at(settings.database_url.get_secret_value())
    with closing(database), database.transaction() as session:
        token, row = create_operator_token(session, name=name, role=role, lifetime=lifetime, now=now)
        after = {"name": name, "role": role.value}
        trail.record(session, on_this_machine(Role.ADMIN), "token.create", row.id, now=now, after=after)
        return token
