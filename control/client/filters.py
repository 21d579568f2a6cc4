"""Filters, and what rules match."""

from collections.abc import Iterator

from control.client.requests import Requests, word
from control.views.filters import FilterRequest, FilterView, MatchView, RuleRequest


class FilterCalls(Requests):
    """Filters, and what rules match."""

    def create_filter(self, request: FilterRequest) -> FilterView:
        """Make a filter."""
        return self.send(FilterView, "/v1/filters", request)

    def filters(self) -> Iterator[FilterView]:
        """All filters."""
        return self.pages(FilterView, "/v1/filters")

    def filter(self, name: str) -> FilterView:
        """One filter."""
        return self.one(FilterView, "GET", f"/v1/filters/{word(name)}")

    def change_filter(self, name: str, rule: str) -> FilterView:
        """Give a filter another rule."""
        return self.send(FilterView, f"/v1/filters/{word(name)}", RuleRequest.model_construct(rule=rule), method="PUT")

    def delete_filter(self, name: str) -> None:
        """Remove a filter."""
        self.request("DELETE", f"/v1/filters/{word(name)}")

    def matches(self, rule: str) -> Iterator[MatchView]:
        """What a rule says of every device."""
        return self.pages(MatchView, "/v1/matches", rule=rule)

    def match(self, rule: str, device: str) -> MatchView:
        """What a rule says of one device."""
        return self.one(MatchView, "GET", f"/v1/matches/{word(device)}", params={"rule": rule})
