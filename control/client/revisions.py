"""Which revisions are deployed."""

from collections.abc import Iterator

from control.client.requests import Requests, Tagged, only_if, word
from control.views.revisions import DeployedRevisionView, DeploymentView, PinRequest, RollbackRequest


class RevisionCalls(Requests):
    """Revisions: pin, roll forward, roll back."""

    def revisions(self, app: str) -> Iterator[DeployedRevisionView]:
        """The revisions of an app, oldest first, and where each of them is."""
        return self.pages(DeployedRevisionView, f"/v1/apps/{word(app)}/revisions")

    def deployment(self, app: str) -> Tagged[DeploymentView]:
        """Which revision is deployed, and whether it is pinned."""
        return self.tagged(DeploymentView, _pin(app))

    def pin(self, app: str, revision: int, *, if_match: str | None = None) -> DeploymentView:
        """Deploy this revision until another one is pinned."""
        return self.send(DeploymentView, _pin(app), PinRequest(revision=revision), method="PUT", if_match=if_match)

    def roll_forward(self, app: str, *, if_match: str | None = None) -> DeploymentView:
        """Deploy the newest revision from now on."""
        return self.one(DeploymentView, "DELETE", _pin(app), headers=only_if(if_match))

    def roll_back(self, app: str, revision: int | None, *, if_match: str | None = None) -> DeploymentView:
        """Deploy an older revision again, under a new number."""
        request = RollbackRequest(revision=revision)
        return self.send(DeploymentView, f"/v1/apps/{word(app)}/rollback", request, if_match=if_match)


def _pin(app: str) -> str:
    return f"/v1/apps/{word(app)}/pin"
