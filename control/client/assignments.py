"""What is wanted of groups."""

from collections.abc import Iterator

from control.client.requests import Requests
from control.views.assignments import AssignmentRequest, AssignmentView


class AssignmentCalls(Requests):
    """What is wanted of groups."""

    def assign(self, request: AssignmentRequest) -> AssignmentView:
        """Want an app on a group."""
        return self.send(AssignmentView, "/v1/assignments", request)

    def assignments(self) -> Iterator[AssignmentView]:
        """All assignments."""
        return self.pages(AssignmentView, "/v1/assignments")
