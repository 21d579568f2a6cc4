"""The operators' side: who may enrol, who is out, who takes whose place."""

from datetime import timedelta

from fastapi import APIRouter, status

from control.answers.devices import device_view
from control.answers.moment import this_moment
from control.api.dependencies import OperatorDep, ServicesDep, requires
from control.database.tables import Role
from control.fleet.devices import find_device
from control.fleet.enrollment import create_enrollment_token
from control.fleet.groups import find_group, require_static
from control.fleet.retirement import retire
from control.views.access import EnrollmentTokenRequest, EnrollmentTokenView
from control.views.fleet import DeviceView, ReplacementRequest

router = APIRouter(prefix="/v1", tags=["enrolment"])


@router.post(
    "/enrollment-tokens",
    dependencies=[requires(Role.ADMIN, confined=True)],
    status_code=status.HTTP_201_CREATED,
)
def make_enrollment_token(
    body: EnrollmentTokenRequest, services: ServicesDep, operator: OperatorDep
) -> EnrollmentTokenView:
    """Make a token that devices enrol with; it is shown this once."""
    now = services.clock.now()
    with services.database.transaction() as session:
        group = None if body.group is None else find_group(session, body.group)
        group_id = None if group is None else group.id
        operator.require_group(group_id, body.group or "no group")
        if group is not None:
            require_static(group)
        lifetime = timedelta(seconds=body.lifetime_seconds)
        token, row = create_enrollment_token(
            session, group_id=group_id, uses=body.uses, lifetime=lifetime, now=now, site=body.site
        )
        after = {"uses": row.uses_left, "site": row.site, "expires_at": row.expires_at.isoformat()}
        services.audit.record(session, operator, "enrollment.create", body.group or "", now=now, after=after)
    return EnrollmentTokenView(
        token=token, group=body.group, uses=row.uses_left, expires_at=row.expires_at, url=services.settings.public_url
    )


@router.post("/devices/{name:path}/retire", dependencies=[requires(Role.ADMIN, confined=True)])
def retire_device(name: str, services: ServicesDep, operator: OperatorDep) -> DeviceView:
    """Shut a device out for good: from this API at once, then from the broker; asking again finishes what is left."""
    moment = this_moment(services)
    with services.database.transaction() as session:
        device = find_device(session, name)
        operator.require_device(session, device.id)
        if retire(session, device, moment.now):
            services.audit.record(session, operator, "device.retire", device.id, now=moment.now)
        view = device_view(device, moment.online_since)
    # After the commit: a broker that is away must not keep a lost device in.
    services.enrollment.cut_off(view.id)
    return view


@router.post(
    "/devices/{name:path}/replace",
    dependencies=[requires(Role.ADMIN, confined=True)],
    status_code=status.HTTP_201_CREATED,
)
def replace_device(
    name: str, body: ReplacementRequest, services: ServicesDep, operator: OperatorDep
) -> EnrollmentTokenView:
    """Make a token for the device that takes over this one's name and groups; enrolling with it retires this one."""
    now, lifetime = services.clock.now(), timedelta(seconds=body.lifetime_seconds)
    with services.database.transaction() as session:
        old = find_device(session, name)
        operator.require_device(session, old.id)
        token, row = create_enrollment_token(
            session, group_id=None, uses=1, lifetime=lifetime, now=now, replaces=old.id
        )
        after = {"expires_at": row.expires_at.isoformat()}
        services.audit.record(session, operator, "device.replace", old.id, now=now, after=after)
    return EnrollmentTokenView(
        token=token, group=None, uses=row.uses_left, expires_at=row.expires_at, url=services.settings.public_url
    )
