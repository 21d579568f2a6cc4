"""Filters, and what they match."""

from datetime import datetime

from pydantic import Field

from control.filters.parse import MAX_RULE_LENGTH
from control.views.base import Request, View
from control.views.fleet import NAME_PATTERN


class RuleRequest(Request):
    """A rule in the filter language."""

    rule: str = Field(max_length=MAX_RULE_LENGTH)


class FilterRequest(RuleRequest):
    """A new filter; its name is part of addresses, so it holds no slash."""

    name: str = Field(min_length=1, max_length=200, pattern=NAME_PATTERN)


class FilterView(View):
    """A rule under a name, in its canonical spelling."""

    name: str
    rule: str
    created_at: datetime


class VerdictView(View):
    """One comparison of a rule on one device.

    Attributes:
        term: The comparison.
        found: The device's own value; None where it has none.
    """

    term: str
    found: str | None
    holds: bool


class MatchView(View):
    """What a rule says of one device."""

    device_id: str
    device: str
    matches: bool
    verdicts: tuple[VerdictView, ...]
