"""The device's side of the API, exactly as `contract.uplink` has it."""

from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from fastapi import APIRouter, Header, Query, Response, status
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from contract.queues import ControlTask
from contract.report import Report
from contract.sealing import seal
from contract.uplink import (
    CHECK_IN_PATH,
    CONTENT_INFO_PATH,
    ENROLL_PATH,
    GENERATION_REASON_HEADER,
    KEYS_PATH,
    MAX_COUNT,
    ORDERS_PATH,
    POLICY_PATH,
    PROGRESS_PATH,
    REPORTS_PATH,
    SECRETS_PATH,
    TRUSTED_KEYS_PATH,
    TRUSTED_KEYS_VERSION_HEADER,
    CheckIn,
    CheckInReply,
    ContentInfo,
    EnrollmentReply,
    EnrollmentRequest,
    KeyRotation,
    OrdersReply,
    ProgressBatch,
    SecretsReply,
    TrustedKeysReply,
    content_key_context,
)
from control.api.dependencies import BodyDep, DeviceDep, ServicesDep, SourceDep
from control.catalog.content import find_package, object_key
from control.catalog.policies import Order
from control.database.tables import Device
from control.fleet.check_in import check_in
from control.fleet.job_access import live_revision
from control.fleet.key_rotation import rotate_keys
from control.metrics import count_report
from control.secrets.delivery import sealed_secrets
from control.security.operators import DeviceActor
from control.steering.orders import standing_orders
from control.work import plan_device

router = APIRouter(tags=["devices' side"])

Generation = Annotated[int | None, Query(ge=1, description="The generation the device is processing.")]


@router.post(ENROLL_PATH)
def enroll(body: BodyDep, services: ServicesDep, source: SourceDep) -> EnrollmentReply:
    """Let a device in."""
    request = EnrollmentRequest.from_json(body)
    with services.database.transaction() as session:
        reply = services.enrollment.enroll(session, request, services.clock.now(), source)
    # It may have come in the place of another one.
    services.gate.devices.forget_all()
    return reply


@router.post(KEYS_PATH)
def rotate_device_keys(body: BodyDep, device: DeviceDep, services: ServicesDep, source: SourceDep) -> EnrollmentReply:
    """Exchange a device's keys and its broker secret."""
    request = KeyRotation.from_json(body)
    with services.database.transaction() as session:
        row = session.get_one(Device, device.id)
        before = {"signing_key": row.signing_key.hex()}
        rotate_keys(session, row, request)
        reply = services.enrollment.hand_out(session, row)
        actor, now, after = DeviceActor(row.id, source), services.clock.now(), {"signing_key": row.signing_key.hex()}
        services.audit.record(session, actor, "device.rotate-keys", row.id, now=now, before=before, after=after)
    services.gate.devices.forget(device.id)
    return reply


@router.post(CHECK_IN_PATH)
def device_check_in(body: BodyDep, device: DeviceDep, services: ServicesDep) -> CheckInReply:
    """Note that a device is there, and send what is due for it."""
    message = CheckIn.from_json(body)
    with services.database.transaction() as session:
        reply = check_in(
            session,
            session.get_one(Device, device.id),
            message,
            check_in_interval=services.settings.check_in_interval,
            online_window=services.settings.online_window,
            trusted_keys_version=services.trust.version(session),
            now=services.clock.now(),
        )
    if reply.jobs_sent:
        services.queue.request(ControlTask.DISPATCH)
    return reply


@router.get(ORDERS_PATH)
def orders(device: DeviceDep, services: ServicesDep) -> OrdersReply:
    """What operators want of jobs that the device has already."""
    with services.database.snapshot() as session:
        return OrdersReply(orders=standing_orders(session, device.id))


@router.get(POLICY_PATH)
def policy(
    job_id: str,
    device: DeviceDep,
    services: ServicesDep,
    generation: Generation = None,
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """The signed policy of a live job, unless the device has it already."""
    now = services.clock.now()
    with services.database.snapshot() as session:
        job, revision = live_revision(session, job_id, device.id, generation)
        order = Order(revision, job.intent, job.settings_digest)
        row = services.policies.fresh(session, order, now)
    if row is None:
        with services.database.transaction() as session:
            row = services.policies.current(session, order, now)
    headers = {"ETag": f'"{row.digest}"', GENERATION_REASON_HEADER: job.generation_reason}
    headers[TRUSTED_KEYS_VERSION_HEADER] = str(row.trusted_keys_version)
    if headers["ETag"] in (tag.strip() for tag in if_none_match.split(",")):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    return Response(row.envelope, media_type="application/json", headers=headers)


@router.get(TRUSTED_KEYS_PATH)
def trusted_keys(
    _device: DeviceDep, services: ServicesDep, after: Annotated[int, Query(ge=0, le=MAX_COUNT)]
) -> TrustedKeysReply:
    """The versions of the trusted keys that follow the one a device knows."""
    with services.database.snapshot() as session:
        return TrustedKeysReply(chain=tuple(services.trust.after(session, after)))


@router.post(CONTENT_INFO_PATH)
def content_info(job_id: str, device: DeviceDep, services: ServicesDep, generation: Generation = None) -> ContentInfo:
    """Where a live job's content is, and its key, sealed to the device."""
    with services.database.snapshot() as session:
        job, revision = live_revision(session, job_id, device.id, generation)
        package = find_package(session, revision.package_digest)
    presigned = services.store.presign_get(object_key(package.digest), lifetime=services.settings.presign_lifetime)
    recipient = X25519PublicKey.from_public_bytes(device.sealing_key)
    context = content_key_context(job.id, device.id, package.digest)
    return ContentInfo(
        url=presigned.url,
        expires_at=presigned.expires_at,
        size=package.size,
        sealed_key=seal(services.content_keys.unwrap(package.wrapped_key), recipient, context),
    )


@router.post(SECRETS_PATH)
def secrets(job_id: str, device: DeviceDep, services: ServicesDep, generation: Generation = None) -> SecretsReply:
    """What the command of a live job is given, sealed to the device."""
    with services.database.snapshot() as session:
        job, revision = live_revision(session, job_id, device.id, generation)
        return SecretsReply(secrets=sealed_secrets(session, services.secrets, job, revision, device))


@router.post(PROGRESS_PATH, response_model=dict[str, int])
async def progress(body: BodyDep, device: DeviceDep, services: ServicesDep) -> Response:
    """Store a batch of progress."""
    batch = ProgressBatch.from_json(body)
    known = (await services.intake.take(device.id, batch)).known
    return JSONResponse({"stored": known, "unknown": len(batch.items) - known})


@router.post(REPORTS_PATH, response_model=dict[str, bool])
async def report(body: BodyDep, device: DeviceDep, services: ServicesDep) -> Response:
    """Store a report; the answer means that it is stored for good."""
    message = Report.from_json(body)
    taken = await services.intake.take(device.id, message)
    if taken.new:
        count_report(message)
    if taken.let_go:
        await run_in_threadpool(services.queue.request, ControlTask.PLAN)
    elif taken.concerns_others:
        await run_in_threadpool(plan_device, services, device.id)
    return JSONResponse({"stored": True, "new": taken.new})
