"""`outrider-agent run`."""

from worker.cli.options import StateDir
from worker.cli.output import handled
from worker.process import run_agent
from worker.settings import load_settings


def run(state_dir: StateDir = None) -> None:
    """Process this device's jobs until SIGTERM or Ctrl-C.

    The phase in progress is finished first, for at most OUTRIDER_AGENT_STOP_LIMIT_SECONDS; an installer that takes
    longer runs on, and the next start finds it again. A second SIGTERM or Ctrl-C ends the agent at once.

    \b
    Example:
      outrider-agent run

    \b
    Exit status: 0 stopped; 2 not enrolled, or another agent is running in the folder.
    """  # noqa: D301  click keeps the lines of a paragraph that begins so
    with handled():
        run_agent(load_settings(state_dir))
