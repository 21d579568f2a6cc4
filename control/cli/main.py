"""`outrider`: the operators' command."""

from importlib.metadata import entry_points
from typing import Final

import typer

from control.cli.app import app_app
from control.cli.assign import assign_app
from control.cli.assignment import assignment_app, unassign_app
from control.cli.audit import audit_app
from control.cli.definitions import definitions_app
from control.cli.desired import desired_app
from control.cli.device import device_app
from control.cli.enrollment import enrollment_app
from control.cli.errors import errors_app
from control.cli.filter import filter_app
from control.cli.group import group_app
from control.cli.group_rules import group_rules_app
from control.cli.login import login_app
from control.cli.package import package_app
from control.cli.retirement import retirement_app
from control.cli.revisions import revisions_app
from control.cli.rollout import rollout_app
from control.cli.secret import secret_app
from control.cli.site import site_app
from control.cli.status import status_app
from control.cli.steer import steer_app
from control.cli.sync import sync_app
from control.cli.token import token_app
from control.cli.wait import wait_app
from control.cli.why import why_app

_COMMANDS: Final = "outrider.commands"
#: Packages that are always there: one of them not found is a defect.
_OURS: Final = frozenset({"contract", "control", "deploy", "storage", "worker"})

app = typer.Typer(
    no_args_is_help=True,
    help="Deploy apps to devices. Begin with `outrider login URL`, or set OUTRIDER_URL and OUTRIDER_TOKEN.",
    pretty_exceptions_show_locals=False,
)
app.add_typer(login_app)
app.add_typer(package_app, name="package")
app_app.add_typer(definitions_app)
app_app.add_typer(revisions_app)
app.add_typer(app_app, name="app")
group_app.add_typer(group_rules_app)
app.add_typer(group_app, name="group")
app.add_typer(filter_app, name="filter")
app.add_typer(enrollment_app, name="enrollment")
device_app.add_typer(retirement_app)
device_app.add_typer(site_app)
app.add_typer(device_app, name="device")
app.add_typer(rollout_app, name="rollout")
app.add_typer(secret_app, name="secret")
app.add_typer(token_app, name="token")
app.add_typer(audit_app, name="audit")
app.add_typer(assign_app)
app.add_typer(unassign_app)
app.add_typer(desired_app)
app.add_typer(assignment_app, name="assignment")
app.add_typer(status_app)
app.add_typer(errors_app)
app.add_typer(wait_app)
app.add_typer(sync_app)
app.add_typer(why_app)
app.add_typer(steer_app)


def main() -> None:
    """Run the command line, with the commands that other installed parts bring."""
    for entry in entry_points(group=_COMMANDS):
        try:
            app.add_typer(entry.load())
        except ModuleNotFoundError as error:
            # It may be installed without the dependencies of its part, such as the agent's for a simulated fleet.
            if (error.name or "").partition(".")[0] in _OURS:
                raise
    app()
