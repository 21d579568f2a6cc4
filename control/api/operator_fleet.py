"""The operators' side: groups and devices."""

from datetime import datetime

from fastapi import status

from contract.queues import ControlTask
from control.answers.devices import device_detail, group_view, list_devices, list_groups
from control.answers.jobs import list_device_jobs
from control.answers.moment import this_moment
from control.api.dependencies import OperatorDep, ServicesDep
from control.api.entity_tags import TagDep
from control.api.guarded_route import guarded_router, requires
from control.api.pages import PageDep
from control.database.session import lock_planning
from control.database.tables import Role
from control.fleet.devices import find_device
from control.fleet.groups import add_member, create_group, find_group, remove_member, require_static
from control.services import Services
from control.views.fleet import DeviceDetail, DeviceView, GroupRequest, GroupView
from control.views.jobs import JobDetail
from control.views.page import Page

router = guarded_router("fleet")

_MEMBER_PATH = "/groups/{name}/members/{device:path}"


@router.post("/groups", dependencies=[requires(Role.OPERATOR)], status_code=status.HTTP_201_CREATED)
def make_group(body: GroupRequest, services: ServicesDep, operator: OperatorDep) -> GroupView:
    """Make a group, empty or with the devices that match a rule; one that is there already is the answer."""
    now = services.clock.now()
    with services.database.transaction() as session:
        group = create_group(session, body.name, now, rule=body.rule)
        after = {"id": group.id, "rule": group.rule}
        services.audit.record(session, operator, "group.create", group.name, now=now, after=after)
        return group_view(session, group)


@router.get("/groups", dependencies=[requires(Role.VIEWER, confined=True)])
def groups(services: ServicesDep, operator: OperatorDep, page: PageDep) -> Page[GroupView]:
    """All groups; for a token that is confined, those it is confined to."""
    with services.database.snapshot() as session:
        return list_groups(session, page, operator.scope)


@router.get("/groups/{name}", dependencies=[requires(Role.VIEWER, confined=True)])
def group(name: str, services: ServicesDep, operator: OperatorDep, tag: TagDep) -> GroupView:
    """One group and how many devices are in it."""
    with services.database.snapshot() as session:
        group = find_group(session, name)
        operator.require_group(group.id, name)
        return tag.on(group_view(session, group))


@router.get("/groups/{name}/members", dependencies=[requires(Role.VIEWER, confined=True)])
def members(name: str, services: ServicesDep, operator: OperatorDep, page: PageDep) -> Page[DeviceView]:
    """The devices in a group."""
    with services.database.snapshot() as session:
        group = find_group(session, name)
        operator.require_group(group.id, name)
        return list_devices(session, _online_since(services), page, [group.id])


@router.put(_MEMBER_PATH, dependencies=[requires(Role.OPERATOR, confined=True)], status_code=status.HTTP_204_NO_CONTENT)
def put_member(name: str, device: str, services: ServicesDep, operator: OperatorDep, tag: TagDep) -> None:
    """Put a device into a group; a confined token deals with its own groups and the devices in them."""
    now = services.clock.now()
    with services.database.transaction() as session:
        lock_planning(session)
        group, member = find_group(session, name), find_device(session, device)
        operator.require_group(group.id, name)
        operator.require_device(session, member.id)
        require_static(group)
        if tag.is_conditional:
            tag.require(group_view(session, group))
        add_member(session, group.id, member.id, now)
        services.audit.record(session, operator, "group.add", group.name, now=now, after={"device": member.id})
    services.queue.request(ControlTask.PLAN)


@router.delete(
    _MEMBER_PATH, dependencies=[requires(Role.OPERATOR, confined=True)], status_code=status.HTTP_204_NO_CONTENT
)
def delete_member(name: str, device: str, services: ServicesDep, operator: OperatorDep, tag: TagDep) -> None:
    """Take a device out of a group; a confined token deals with its own groups and the devices in them."""
    now = services.clock.now()
    with services.database.transaction() as session:
        lock_planning(session)
        group, member = find_group(session, name), find_device(session, device)
        operator.require_group(group.id, name)
        operator.require_device(session, member.id)
        require_static(group)
        if tag.is_conditional:
            tag.require(group_view(session, group))
        remove_member(session, group.id, member.id)
        services.audit.record(session, operator, "group.remove", group.name, now=now, after={"device": member.id})
    services.queue.request(ControlTask.PLAN)


@router.get("/devices", dependencies=[requires(Role.VIEWER, confined=True)])
def devices(services: ServicesDep, operator: OperatorDep, page: PageDep) -> Page[DeviceView]:
    """All enrolled devices; for a token that is confined, those in its groups."""
    with services.database.snapshot() as session:
        return list_devices(session, _online_since(services), page, operator.scope)


@router.get("/devices/{name:path}/jobs", dependencies=[requires(Role.VIEWER, confined=True)])
def jobs_of_device(name: str, services: ServicesDep, operator: OperatorDep, page: PageDep) -> Page[JobDetail]:
    """All jobs of a device that are not in the archive, with their phases."""
    with services.database.snapshot() as session:
        found = find_device(session, name)
        operator.require_device(session, found.id)
        return list_device_jobs(session, found.id, this_moment(services), page)


@router.get("/devices/{name:path}", dependencies=[requires(Role.VIEWER, confined=True)])
def device(name: str, services: ServicesDep, operator: OperatorDep, tag: TagDep) -> DeviceDetail:
    """One device by id or name, with its jobs, their phases and what happens next."""
    with services.database.snapshot() as session:
        operator.require_device(session, find_device(session, name).id)
        return tag.on(device_detail(session, name, this_moment(services)))


def _online_since(services: Services) -> datetime:
    return this_moment(services).online_since
