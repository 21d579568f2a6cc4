"""Which revisions are deployed."""

from collections.abc import Iterator

from control.client.requests import Requests, word
from control.views.revisions import DeployedRevisionView, DeploymentView, PinRequest, RollbackRequest


class RevisionCalls(Requests):
    """Revisions: pin, roll forward, roll back."""

    def revisions(self, app: str) -> Iterator[DeployedRevisionView]:
        """The revisions of an app, oldest first, and where each of them is."""
        return self.pages(DeployedRevisionView, f"/v1/apps/{word(app)}/revisions")

    def pin(self, app: str, revision: int) -> DeploymentView:
        """Deploy this revision until another one is pinned."""
        return self.send(DeploymentView, f"/v1/apps/{word(app)}/pin", PinRequest(revision=revision), method="PUT")

    def roll_forward(self, app: str) -> DeploymentView:
        """Deploy the newest revision from now on."""
        return self.one(DeploymentView, "DELETE", f"/v1/apps/{word(app)}/pin")

    def roll_back(self, app: str, revision: int | None) -> DeploymentView:
        """Deploy an older revision again, under a new number."""
        return self.send(DeploymentView, f"/v1/apps/{word(app)}/rollback", RollbackRequest(revision=revision))
