"""The operators' side: who may enrol, who is out, who takes whose place."""

import contextlib
from datetime import timedelta
from typing import Annotated

from fastapi import Query, status

from contract.errors import UnavailableError
from control.answers.access import enrollment_token_view, list_enrollment_tokens
from control.answers.devices import device_detail, retired_device_view
from control.answers.moment import this_moment
from control.api.dependencies import OperatorDep, ServicesDep
from control.api.entity_tags import TagDep
from control.api.guarded_route import guarded_router, requires
from control.api.pages import PageDep
from control.database.session import lock_planning
from control.database.tables import Device, EnrollmentToken, Role
from control.fleet.cutting_off import cut_off_retired
from control.fleet.devices import find_device
from control.fleet.enrollment_tokens import (
    Place,
    create_enrollment_token,
    enrollment_tokens,
    find_enrollment_token,
    revoke_enrollment_token,
)
from control.fleet.groups import find_group, require_static
from control.fleet.retirement import retire
from control.services import Services
from control.views.access import EnrollmentTokenRequest, EnrollmentTokenView, KnownEnrollmentTokenView
from control.views.fleet import ReplacementRequest, RetiredDeviceView
from control.views.page import Page

router = guarded_router("enrolment")


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
        lock_planning(session)
        group = None if body.group is None else find_group(session, body.group)
        group_id = None if group is None else group.id
        operator.require_group(group_id, body.group or "no group")
        if group is not None:
            require_static(group)
        lifetime = timedelta(seconds=body.lifetime_seconds)
        token, row = create_enrollment_token(
            session,
            Place(group_id, body.site),
            uses=body.uses,
            lifetime=lifetime,
            created_by=operator.signature,
            now=now,
        )
        after = {"token": row.id, "uses": row.uses_left, "site": row.site, "expires_at": row.expires_at.isoformat()}
        services.audit.record(session, operator, "enrollment.create", body.group or "", now=now, after=after)
    return _shown_once(services, token, row, body.group)


@router.get("/enrollment-tokens", dependencies=[requires(Role.ADMIN, confined=True)])
def list_tokens(
    services: ServicesDep,
    operator: OperatorDep,
    page: PageDep,
    include_void: Annotated[bool, Query(alias="all", description="Used up, expired and revoked ones, too.")] = False,
) -> Page[KnownEnrollmentTokenView]:
    """The tokens that devices may enrol with, without themselves."""
    tokens = enrollment_tokens(services.clock.now(), include_void=include_void, group_ids=operator.group_ids)
    with services.database.snapshot() as session:
        return list_enrollment_tokens(session, tokens, page)


@router.get("/enrollment-tokens/{token_id}", dependencies=[requires(Role.ADMIN, confined=True)])
def one_token(token_id: str, services: ServicesDep, operator: OperatorDep, tag: TagDep) -> KnownEnrollmentTokenView:
    """One token that devices enrol with, without itself."""
    with services.database.snapshot() as session:
        row = find_enrollment_token(session, token_id)
        operator.require_group(row.group_id, token_id)
        return tag.on(enrollment_token_view(session, row))


@router.delete("/enrollment-tokens/{token_id}", dependencies=[requires(Role.ADMIN, confined=True)])
def revoke_token(token_id: str, services: ServicesDep, operator: OperatorDep, tag: TagDep) -> KnownEnrollmentTokenView:
    """Make a token void at once; devices that have enrolled with it stay; again is fine."""
    now = services.clock.now()
    with services.database.transaction() as session:
        row = find_enrollment_token(session, token_id)
        operator.require_group(row.group_id, token_id)
        tag.require(enrollment_token_view(session, row))
        before = {"uses": row.uses_left, "expires_at": row.expires_at.isoformat()}
        if revoke_enrollment_token(session, row, now):
            services.audit.record(session, operator, "enrollment.revoke", row.id, now=now, before=before)
        return enrollment_token_view(session, row)


@router.post("/devices/{name:path}/retire", dependencies=[requires(Role.ADMIN, confined=True)])
def retire_device(name: str, services: ServicesDep, operator: OperatorDep, tag: TagDep) -> RetiredDeviceView:
    """Shut a device out for good: from this API at once, then from the broker, as soon as that answers."""
    moment = this_moment(services)
    with services.database.transaction() as session:
        lock_planning(session)
        device = find_device(session, name)
        operator.require_device(session, device.id)
        if tag.is_conditional:
            tag.require(device_detail(session, device.id, moment))
        if retire(session, device, moment.now):
            services.audit.record(session, operator, "device.retire", device.id, now=moment.now)
        device_id = device.id
    services.gate.devices.forget(device_id)
    # After the commit: a broker that is away must not keep a lost device in.
    with contextlib.suppress(UnavailableError):
        cut_off_retired(services.database, services.enrollment, services.clock)
    with services.database.snapshot() as session:
        return retired_device_view(session.get_one(Device, device_id), moment.online_since)


@router.post(
    "/devices/{name:path}/replace",
    dependencies=[requires(Role.ADMIN, confined=True)],
    status_code=status.HTTP_201_CREATED,
)
def replace_device(
    name: str, body: ReplacementRequest, services: ServicesDep, operator: OperatorDep, tag: TagDep
) -> EnrollmentTokenView:
    """Make a token for the device that takes over this one's name and groups; enrolling with it retires this one."""
    now, lifetime = services.clock.now(), timedelta(seconds=body.lifetime_seconds)
    with services.database.transaction() as session:
        old = find_device(session, name)
        operator.require_device(session, old.id)
        if tag.is_conditional:
            tag.require(device_detail(session, old.id, this_moment(services)))
        token, row = create_enrollment_token(
            session,
            Place(replaces=old.id),
            uses=1,
            lifetime=lifetime,
            created_by=operator.signature,
            now=now,
        )
        after = {"token": row.id, "expires_at": row.expires_at.isoformat()}
        services.audit.record(session, operator, "device.replace", old.id, now=now, after=after)
    return _shown_once(services, token, row, None)


def _shown_once(services: Services, token: str, row: EnrollmentToken, group: str | None) -> EnrollmentTokenView:
    return EnrollmentTokenView(
        id=row.id,
        token=token,
        group=group,
        uses=row.uses_left,
        expires_at=row.expires_at,
        url=services.settings.public_url,
    )
