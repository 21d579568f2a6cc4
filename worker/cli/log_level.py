"""`outrider-agent log-level`."""

from typing import Annotated

import typer

from worker.cli.options import AsJson, StateDir, enrolled_folders
from worker.cli.output import handled, show
from worker.logs.level import LogLevel, read_level, write_level


def log_level(
    level: Annotated[LogLevel | None, typer.Argument(help="What to log at least.", show_default=False)] = None,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Show or change how much the agent logs; one that runs heeds it at once.

    \b
    Examples:
      outrider-agent log-level
      outrider-agent log-level debug

    \b
    Exit status: 0 done; 2 not enrolled, or no such level.
    """  # noqa: D301  click keeps the lines of a paragraph that begins so
    with handled(as_json=as_json):
        folders = enrolled_folders(state_dir)
        if level is not None:
            write_level(folders.log_level, level)
        found = read_level(folders.log_level)
        show({"level": found.value}, f"The agent logs {found} and what is graver.", as_json=as_json)
