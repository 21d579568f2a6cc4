"""`outrider-agent`: enrol a device, run its agent, look at what it did."""

import sys

import typer

from contract.errors import OutriderError
from contract.exit_statuses import ExitStatus
from worker.cli.enroll import enroll
from worker.cli.output import show_error
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
for command in (enroll, run, sync, status):
    app.command()(command)


def main() -> None:
    """Run the command line; errors are one sentence and a hint, never a traceback."""
    try:
        app()
    except OutriderError as error:
        show_error(error)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        sys.exit(ExitStatus.INTERRUPTED)


if __name__ == "__main__":
    main()
