"""`outrider-agent check`."""

from pathlib import Path
from typing import Annotated

import typer

from worker.cli.options import AsJson, StateDir
from worker.cli.output import handled
from worker.settings import load_settings


def check(
    policy: Annotated[Path, typer.Argument(help="A policy, signed or plain, or a manifest; JSON or YAML.")],
    scripts: Annotated[bool, typer.Option("--scripts/--no-scripts", help="Whether to run script rules.")] = True,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate all rules of an app on this machine and show what was compared with what.

    Nothing is installed and nothing is recorded; the device need not be enrolled. Scripts of rules are run, in a
    folder that is removed afterwards: what they do is theirs.

    \b
    Examples:
      outrider-agent check editor.yaml
      outrider-agent check policy.json --no-scripts --json

    \b
    Exit status: 0 detected; 1 a rule could not be evaluated; 2 the file is wrong; 10 not detected, and all
    requirements are met; 11 not applicable here, or a requirement is not met; 12 undecided without scripts.
    """  # noqa: D301  click keeps the lines of a paragraph that begins so
    with handled(as_json=as_json):
        from worker.cli.checking import check_policy  # noqa: PLC0415  other commands need not load all of it

        raise typer.Exit(check_policy(policy, load_settings(state_dir), runs_scripts=scripts, as_json=as_json))
