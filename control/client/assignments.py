"""What is wanted of groups."""

from collections.abc import Iterator

from control.client.requests import Requests, word
from control.views.assignments import AssignmentRequest, AssignmentView


class AssignmentCalls(Requests):
    """What is wanted of groups."""

    def assign(self, request: AssignmentRequest) -> AssignmentView:
        """Want an app on a group, or leave the group out."""
        return self.send(AssignmentView, "/v1/assignments", request)

    def assignments(self, *, app: str | None = None, group: str | None = None) -> Iterator[AssignmentView]:
        """Assignments, all or those of an app or to a group."""
        return self.pages(AssignmentView, "/v1/assignments", app=app, group=group)

    def assignment(self, app: str, group: str) -> AssignmentView:
        """One assignment."""
        return self.one(AssignmentView, "GET", f"/v1/assignments/{word(group)}/{word(app)}")

    def unassign(self, app: str, group: str) -> None:
        """Want nothing of an app on a group any more."""
        self.request("DELETE", f"/v1/assignments/{word(group)}/{word(app)}")
