"""The operators' side: groups, devices, enrolment tokens."""

from datetime import datetime, timedelta

from fastapi import APIRouter, status

from contract.queues import ControlTask
from control.answers.devices import device_detail, device_view, group_detail, group_view, list_devices, list_groups
from control.answers.moment import this_moment
from control.api.dependencies import ServicesDep, requires
from control.database.tables import Role
from control.fleet.devices import find_device
from control.fleet.enrollment import create_enrollment_token
from control.fleet.groups import add_member, create_group, find_group, remove_member
from control.fleet.retirement import retire
from control.services import Services
from control.views import (
    DeviceDetail,
    DeviceView,
    EnrollmentTokenRequest,
    EnrollmentTokenView,
    GroupDetail,
    GroupRequest,
    GroupView,
    ReplacementRequest,
)

router = APIRouter(prefix="/v1", tags=["fleet"])

_MEMBER_PATH = "/groups/{name}/members/{device:path}"


@router.post("/groups", dependencies=[requires(Role.OPERATOR)], status_code=status.HTTP_201_CREATED)
def make_group(body: GroupRequest, services: ServicesDep) -> GroupView:
    """Make an empty group; one of that name that is there already stays as it is, and is the answer."""
    with services.database.transaction() as session:
        group = create_group(session, body.name, services.clock.now())
        return group_view(session, group)


@router.get("/groups", dependencies=[requires(Role.VIEWER)])
def groups(services: ServicesDep) -> list[GroupView]:
    """All groups."""
    with services.database.snapshot() as session:
        return list_groups(session)


@router.get("/groups/{name}", dependencies=[requires(Role.VIEWER)])
def group(name: str, services: ServicesDep) -> GroupDetail:
    """One group with its devices."""
    with services.database.snapshot() as session:
        return group_detail(session, name, _online_since(services))


@router.put(_MEMBER_PATH, dependencies=[requires(Role.OPERATOR)], status_code=status.HTTP_204_NO_CONTENT)
def put_member(name: str, device: str, services: ServicesDep) -> None:
    """Put a device into a group."""
    with services.database.transaction() as session:
        add_member(session, find_group(session, name).id, find_device(session, device).id, services.clock.now())
    services.queue.request(ControlTask.PLAN)


@router.delete(_MEMBER_PATH, dependencies=[requires(Role.OPERATOR)], status_code=status.HTTP_204_NO_CONTENT)
def delete_member(name: str, device: str, services: ServicesDep) -> None:
    """Take a device out of a group."""
    with services.database.transaction() as session:
        remove_member(session, find_group(session, name).id, find_device(session, device).id)
    services.queue.request(ControlTask.PLAN)


@router.get("/devices", dependencies=[requires(Role.VIEWER)])
def devices(services: ServicesDep) -> list[DeviceView]:
    """All enrolled devices."""
    with services.database.snapshot() as session:
        return list_devices(session, _online_since(services))


@router.get("/devices/{name:path}", dependencies=[requires(Role.VIEWER)])
def device(name: str, services: ServicesDep) -> DeviceDetail:
    """One device by id or name, with its jobs, their phases and what happens next."""
    with services.database.snapshot() as session:
        return device_detail(session, name, this_moment(services))


@router.post("/devices/{name:path}/retire", dependencies=[requires(Role.ADMIN)])
def retire_device(name: str, services: ServicesDep) -> DeviceView:
    """Shut a device out for good: from this API at once, then from the broker; asking again finishes what is left."""
    with services.database.transaction() as session:
        device = find_device(session, name)
        retire(session, device, services.clock.now())
        view = device_view(device, _online_since(services))
    # After the commit: a broker that is away must not keep a lost device in.
    services.enrollment.cut_off(view.id)
    return view


@router.post("/devices/{name:path}/replace", dependencies=[requires(Role.ADMIN)], status_code=status.HTTP_201_CREATED)
def replace_device(name: str, body: ReplacementRequest, services: ServicesDep) -> EnrollmentTokenView:
    """Make a token for the device that takes over this one's name and groups; enrolling with it retires this one."""
    with services.database.transaction() as session:
        token, row = create_enrollment_token(
            session,
            group_id=None,
            uses=1,
            lifetime=timedelta(seconds=body.lifetime_seconds),
            now=services.clock.now(),
            replaces=find_device(session, name).id,
        )
    return EnrollmentTokenView(
        token=token, group=None, uses=row.uses_left, expires_at=row.expires_at, url=services.settings.public_url
    )


@router.post("/enrollment-tokens", dependencies=[requires(Role.ADMIN)], status_code=status.HTTP_201_CREATED)
def make_enrollment_token(body: EnrollmentTokenRequest, services: ServicesDep) -> EnrollmentTokenView:
    """Make a token that devices enrol with; it is shown this once."""
    with services.database.transaction() as session:
        group_id = None if body.group is None else find_group(session, body.group).id
        token, row = create_enrollment_token(
            session,
            group_id=group_id,
            uses=body.uses,
            lifetime=timedelta(seconds=body.lifetime_seconds),
            now=services.clock.now(),
        )
    return EnrollmentTokenView(
        token=token, group=body.group, uses=row.uses_left, expires_at=row.expires_at, url=services.settings.public_url
    )


def _online_since(services: Services) -> datetime:
    return this_moment(services).online_since
