"""Desired state as documents."""

from control.client.requests import Requests
from control.views.changes import ChangesRequest, ChangesView, StateView


class ChangeCalls(Requests):
    """Desired state as documents."""

    def state(self) -> StateView:
        """All that is there."""
        return self.one(StateView, "GET", "/v1/state")

    def change(self, request: ChangesRequest) -> ChangesView:
        """Make what is there what the documents say, or only ask what would change."""
        return self.send(ChangesView, "/v1/changes", request)
