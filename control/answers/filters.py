"""Answers about filters and what rules match."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from control.answers.pages import PageRequest, read_page
from control.database.tables import Device, Filter, GroupMember
from control.filters.evaluate import explain, matches
from control.filters.facts import facts_of
from control.filters.rule import Rule
from control.views.filters import FilterView, MatchView, VerdictView
from control.views.page import Page


def list_filters(session: Session, page: PageRequest) -> Page[FilterView]:
    """All filters by name."""
    rows, cursor = read_page(session, select(Filter), (Filter.name,), page)
    return Page(items=tuple(FilterView.model_validate(found) for (found,) in rows), next_cursor=cursor)


def list_matches(
    session: Session, rule: Rule, page: PageRequest, group_ids: Collection[str] | None = None
) -> Page[MatchView]:
    """What a rule says of each enrolled device, by name; of all, or of those in some of these groups."""
    enrolled = select(Device).where(Device.retired_at.is_(None))
    if group_ids is not None:
        members = select(GroupMember.device_id).where(GroupMember.group_id.in_(group_ids))
        enrolled = enrolled.where(Device.id.in_(members))
    rows, cursor = read_page(session, enrolled, (Device.name, Device.id), page)
    return Page(items=tuple(match_view(rule, device) for (device,) in rows), next_cursor=cursor)


def match_view(rule: Rule, device: Device) -> MatchView:
    """What a rule says of one device, comparison by comparison."""
    facts = facts_of(device)
    return MatchView(
        device_id=device.id,
        device=device.name,
        matches=matches(rule, facts),
        verdicts=tuple(VerdictView.model_validate(verdict) for verdict in explain(rule, facts)),
    )
