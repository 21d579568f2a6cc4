"""The operators' side: filters, and what rules match."""

from typing import Annotated

from fastapi import Query, Response, status

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.queues import ControlTask
from control.answers.filters import list_filters, list_matches, match_view
from control.api.dependencies import OperatorDep, ServicesDep
from control.api.entity_tags import TagDep
from control.api.guarded_route import guarded_router, requires
from control.api.pages import PageDep
from control.database.session import lock_planning
from control.database.tables import Role
from control.filters.parse import parse_rule
from control.filters.stored import add_filter, change_filter, delete_filter, find_filter
from control.fleet.devices import find_device
from control.views.filters import FilterRequest, FilterView, MatchView, RuleRequest
from control.views.page import Page

router = guarded_router("filters")

RuleQuery = Annotated[str, Query(description="A rule in the filter language.")]


@router.post("/filters", dependencies=[requires(Role.OPERATOR)], status_code=status.HTTP_201_CREATED)
def make_filter(body: FilterRequest, services: ServicesDep, operator: OperatorDep, response: Response) -> FilterView:
    """Make a filter; the same again changes nothing, another rule under a known name is refused."""
    now = services.clock.now()
    with services.database.transaction() as session:
        made, created = add_filter(session, body.name, body.rule, now)
        if created:
            services.audit.record(session, operator, "filter.create", made.name, now=now, after={"rule": made.rule})
        view = FilterView.model_validate(made)
    if not created:
        response.status_code = status.HTTP_200_OK
    return view


@router.get("/filters", dependencies=[requires(Role.VIEWER, confined=True)])
def filters(services: ServicesDep, page: PageDep) -> Page[FilterView]:
    """All filters."""
    with services.database.snapshot() as session:
        return list_filters(session, page)


@router.get("/filters/{name}", dependencies=[requires(Role.VIEWER, confined=True)])
def one_filter(name: str, services: ServicesDep, tag: TagDep) -> FilterView:
    """One filter."""
    with services.database.snapshot() as session:
        return tag.on(FilterView.model_validate(find_filter(session, name)))


@router.put("/filters/{name}", dependencies=[requires(Role.OPERATOR)])
def put_rule(name: str, body: RuleRequest, services: ServicesDep, operator: OperatorDep, tag: TagDep) -> FilterView:
    """Give a filter another rule; assignments that use it follow at once."""
    now = services.clock.now()
    with services.database.transaction() as session:
        lock_planning(session)
        found = find_filter(session, name)
        tag.require(FilterView.model_validate(found))
        before = found.rule
        change_filter(session, found, body.rule)
        change = {"before": {"rule": before}, "after": {"rule": found.rule}}
        services.audit.record(session, operator, "filter.change", name, now=now, **change)
        view = FilterView.model_validate(found)
    services.queue.request(ControlTask.PLAN)
    return view


@router.delete("/filters/{name}", dependencies=[requires(Role.OPERATOR)], status_code=status.HTTP_204_NO_CONTENT)
def remove_filter(name: str, services: ServicesDep, operator: OperatorDep) -> None:
    """Remove a filter that no assignment uses."""
    now = services.clock.now()
    with services.database.transaction() as session:
        gone = delete_filter(session, name)
        services.audit.record(session, operator, "filter.delete", name, now=now, before={"rule": gone.rule})


@router.get("/matches", dependencies=[requires(Role.VIEWER, confined=True)])
def matches_of_rule(services: ServicesDep, operator: OperatorDep, page: PageDep, rule: RuleQuery) -> Page[MatchView]:
    """What a rule says of every device, and why; for a confined token, of the devices in its groups."""
    parsed = parse_rule(rule)
    with services.database.snapshot() as session:
        return list_matches(session, parsed, page, operator.scope)


@router.get("/matches/{device:path}", dependencies=[requires(Role.VIEWER, confined=True)])
def match_of_device(device: str, services: ServicesDep, operator: OperatorDep, rule: RuleQuery) -> MatchView:
    """What a rule says of one device, by name or id, and why."""
    parsed = parse_rule(rule)
    with services.database.snapshot() as session:
        found = find_device(session, device)
        operator.require_device(session, found.id)
        if found.retired_at is not None:
            raise InputError(ErrorCode.UNKNOWN_DEVICE, place=device, detail="it is retired")
        return match_view(parsed, found)
