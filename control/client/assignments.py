"""What is wanted of groups."""

from collections.abc import Iterator

from control.client.requests import Requests, Tagged, only_if, word
from control.views.assignments import AssignmentRequest, AssignmentView


class AssignmentCalls(Requests):
    """What is wanted of groups."""

    def assign(self, request: AssignmentRequest, *, if_match: str | None = None) -> AssignmentView:
        """Want an app on a group, or leave the group out."""
        return self.send(AssignmentView, "/v1/assignments", request, if_match=if_match)

    def assignments(self, *, app: str | None = None, group: str | None = None) -> Iterator[AssignmentView]:
        """Assignments, all or those of an app or to a group."""
        return self.pages(AssignmentView, "/v1/assignments", app=app, group=group)

    def assignment(self, app: str, group: str) -> Tagged[AssignmentView]:
        """One assignment."""
        return self.tagged(AssignmentView, f"/v1/assignments/{word(group)}/{word(app)}")

    def unassign(self, app: str, group: str, *, if_match: str | None = None) -> None:
        """Want nothing of an app on a group any more."""
        self.request("DELETE", f"/v1/assignments/{word(group)}/{word(app)}", headers=only_if(if_match))
