"""Where jobs are: in numbers, one by one, and what went wrong."""

from collections.abc import Iterator

from control.client.requests import Requests
from control.views.job_selection import JobQuery
from control.views.jobs import JobView
from control.views.status import ErrorCount, JobSummary
from control.views.why import Why


class StatusCalls(Requests):
    """Where jobs are: in numbers, one by one, and what went wrong."""

    def jobs(self, query: JobQuery) -> Iterator[JobView]:
        """The newest jobs of what is named."""
        return self.pages(JobView, "/v1/status", **given(query))

    def status(
        self, *, app: str | None = None, group: str | None = None, device: str | None = None
    ) -> Iterator[JobView]:
        """The newest jobs, of one app, group or device where named."""
        return self.jobs(JobQuery(app=app, group=group, device=device))

    def summary(self, query: JobQuery) -> JobSummary:
        """How many of these jobs are where."""
        return self.one(JobSummary, "GET", "/v1/summary", params=given(query))

    def errors(self, query: JobQuery, *, past: bool = False) -> list[ErrorCount]:
        """The errors these jobs have now, the commonest first; with `past` all that their attempts ever reported."""
        return self.many(ErrorCount, "/v1/errors", params=given(query) | ({"past": "true"} if past else {}))

    def why(self, device: str, app: str) -> Why:
        """Why an app is as it is on a device."""
        return self.one(Why, "GET", "/v1/why", params={"device": device, "app": app})


def given(query: JobQuery) -> dict[str, str]:
    """The query as parameters."""
    return query.model_dump(mode="json", include=set(JobQuery.model_fields), exclude_none=True)
