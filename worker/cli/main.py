"""`outrider-agent`: the agent itself, or any other of its commands."""

import sys
from typing import Final

from worker.cli.output import handled
from worker.process import run_agent
from worker.settings import load_settings

#: Without options.
_RUN: Final = ["run"]


def main() -> None:
    """Carry out what the command line says.

    `run` without options, as service managers start it, is no work for the library that reads command lines: it would
    stay in memory, 2 MB, for as long as the device is up.
    """
    if sys.argv[1:] == _RUN:
        with handled():
            run_agent(load_settings())
        return
    from worker.cli.commands import app  # noqa: PLC0415  not needed where the agent runs

    app()


if __name__ == "__main__":
    main()
