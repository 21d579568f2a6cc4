"""Where states of apps are shown besides the ledger, for tools that look there (behaviour 2.6, R-02 to R-04)."""

from typing import Protocol

from worker.app_state import AppState


class StateMirror(Protocol):
    """A copy of each app's last state, written and never read by the agent: the ledger is the truth."""

    def put(self, state: AppState) -> None:
        """Show an app's state in place of what was shown of it before, of whatever revision.

        A copy that cannot be written is logged and does no harm: it is made again at the agent's next start.
        """
        ...


class NoStateMirror:
    """On platforms whose tools look nowhere else."""

    def put(self, state: AppState) -> None:
        """Show nothing."""
