"""The operators' side: rules of groups, sites of devices, and groups that are no longer needed."""

from fastapi import status

from contract.queues import ControlTask
from control.answers.devices import device_detail, device_view, group_view
from control.answers.filters import match_view
from control.answers.moment import this_moment
from control.api.dependencies import OperatorDep, ServicesDep
from control.api.entity_tags import TagDep
from control.api.guarded_route import guarded_router, requires
from control.database.session import lock_planning
from control.database.tables import Role
from control.filters.parse import parse_rule
from control.fleet.devices import find_device
from control.fleet.groups import delete_group, find_group, require_dynamic
from control.fleet.membership import refresh_device, set_rule
from control.views.filters import MatchView
from control.views.fleet import DeviceView, GroupRuleRequest, GroupView, SiteRequest

router = guarded_router("groups")


@router.put("/groups/{name}/rule", dependencies=[requires(Role.OPERATOR)])
def put_rule(name: str, body: GroupRuleRequest, services: ServicesDep, operator: OperatorDep, tag: TagDep) -> GroupView:
    """Let another rule choose the members, or, without one, operators; the members stay then as they are."""
    now = services.clock.now()
    with services.database.transaction() as session:
        lock_planning(session)
        group = find_group(session, name)
        tag.require(group_view(session, group))
        before = group.rule
        set_rule(session, group, body.rule, now)
        change = {"before": {"rule": before}, "after": {"rule": group.rule}}
        services.audit.record(session, operator, "group.rule", group.name, now=now, **change)
        view = group_view(session, group)
    services.queue.request(ControlTask.PLAN)
    return view


@router.get("/groups/{name}/matches/{device:path}", dependencies=[requires(Role.VIEWER, confined=True)])
def why_member(name: str, device: str, services: ServicesDep, operator: OperatorDep) -> MatchView:
    """Why a device is, or is not, in a dynamic group."""
    with services.database.snapshot() as session:
        group, found = find_group(session, name), find_device(session, device)
        operator.require_group(group.id, name)
        operator.require_device(session, found.id)
        return match_view(parse_rule(require_dynamic(group)), found)


@router.delete("/groups/{name}", dependencies=[requires(Role.OPERATOR)], status_code=status.HTTP_204_NO_CONTENT)
def remove_group(name: str, services: ServicesDep, operator: OperatorDep, tag: TagDep) -> None:
    """Remove a group that neither assignments nor tokens refer to; its devices stay enrolled."""
    now = services.clock.now()
    with services.database.transaction() as session:
        lock_planning(session)
        view = group_view(session, find_group(session, name))
        tag.require(view)
        delete_group(session, name, now)
        before = {"id": view.id, "rule": view.rule, "members": view.members}
        services.audit.record(session, operator, "group.delete", name, now=now, before=before)


@router.put("/devices/{name:path}/site", dependencies=[requires(Role.OPERATOR, confined=True)])
def put_site(name: str, body: SiteRequest, services: ServicesDep, operator: OperatorDep, tag: TagDep) -> DeviceView:
    """Say where a device stands; rules that ask for it are judged anew at once."""
    moment = this_moment(services)
    with services.database.transaction() as session:
        lock_planning(session)
        device = find_device(session, name)
        operator.require_device(session, device.id)
        if tag.is_conditional:
            tag.require(device_detail(session, device.id, moment))
        before, device.site = device.site, body.site
        session.flush()
        refresh_device(session, device, moment.now)
        change = {"before": {"site": before}, "after": {"site": body.site}}
        services.audit.record(session, operator, "device.site", device.id, now=moment.now, **change)
        view = device_view(device, moment.online_since)
    services.queue.request(ControlTask.PLAN)
    return view
