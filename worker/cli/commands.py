"""`outrider-agent`: enrol a device, run its agent, look at what it did."""

import sys

import typer

from worker.cli import restart
from worker.cli.app_requests import install, uninstall
from worker.cli.apps import apps
from worker.cli.check import check
from worker.cli.enroll import enroll
from worker.cli.log_level import log_level
from worker.cli.logs import logs
from worker.cli.rotate_keys import rotate_keys
from worker.cli.run import run
from worker.cli.status import status
from worker.cli.sync import sync

app = typer.Typer(
    name="outrider-agent",
    help=__doc__,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in (enroll, rotate_keys, run, sync, status, apps, install, uninstall, check, logs, log_level):
    app.command()(command)
app.add_typer(restart.app, name="restart")
if sys.platform == "win32":
    from worker.cli.windows_service import service_app

    app.add_typer(service_app, name="service")
