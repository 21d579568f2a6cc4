"""Desired state as documents."""

from control.client.requests import Requests
from control.views.changes import ChangesRequest, ChangesView, StateView


class ChangeCalls(Requests):
    """Desired state as documents."""

    def state(self, *, members: bool = False) -> StateView:
        """All that is there; with the devices of groups that have no rule, where they are wanted."""
        return self.one(StateView, "GET", "/v1/state", params={"members": members})

    def change(self, request: ChangesRequest) -> ChangesView:
        """Make what is there what the documents say, or only ask what would change."""
        return self.send(ChangesView, "/v1/changes", request)
