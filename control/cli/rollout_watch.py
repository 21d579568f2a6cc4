"""Follow a rollout on the terminal until it does not move by itself any more."""

import time
from collections.abc import Callable
from typing import Final

from contract.exit_statuses import ExitStatus
from control.cli.options import STATUSES
from control.cli.printing import live
from control.cli.rollout_tables import rollout_view
from control.rollouts.states import RolloutState
from control.views.rollouts import RolloutDetail

#: What ends the help text of the command that follows.
WATCH_STATUSES: Final = f"{STATUSES} With --watch also 1 where the rollout has not finished."

_WATCH_SECONDS: Final = 2.0

_MOVES: Final = frozenset({RolloutState.RUNNING, RolloutState.ROLLING_BACK})


def follow(ask: Callable[[], RolloutDetail], *, shown: bool) -> RolloutDetail:
    """Ask again and again until the rollout stands still.

    Args:
        ask: Asks for the rollout.
        shown: Whether to show it meanwhile.
    """
    if not shown:
        return _still(ask, lambda _: None)
    with live() as view:
        return _still(ask, lambda found: view.update(rollout_view(found), refresh=True))


def end_of(rollout: RolloutDetail) -> ExitStatus:
    """What a script is told of a rollout that stands still."""
    return ExitStatus.OK if rollout.state is RolloutState.FINISHED else ExitStatus.FAILED


def _still(ask: Callable[[], RolloutDetail], show: Callable[[RolloutDetail], None]) -> RolloutDetail:
    while True:
        found = ask()
        show(found)
        if found.state not in _MOVES:
            return found
        time.sleep(_WATCH_SECONDS)
