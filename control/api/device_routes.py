"""The device's side of the API, exactly as `contract.uplink` has it."""

from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from fastapi import APIRouter, Query, Response, status
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from contract.error_codes import ErrorCode
from contract.errors import TrustError
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
from control.api.dependencies import BodyDep, ServicesDep, SignedDep, SourceDep
from control.api.documents import answer
from control.api.problems import PROBLEM_RESPONSES
from control.api.signed_route import GENERATION, IF_NONE_MATCH, JOB_ID, SignedRoute, job_asked_about, taking
from control.database.tables import Device
from control.fleet.job_access import live_revision
from control.fleet.key_rotation import rotate_keys
from control.metrics import count_report
from control.secrets.delivery import sealed_secrets
from control.security.operators import DeviceActor
from control.steering.orders import standing_orders
from control.work import plan_device

router = APIRouter(tags=["devices' side"], responses=PROBLEM_RESPONSES)
#: What devices ask most.
signed_router = APIRouter(tags=["devices' side"], responses=PROBLEM_RESPONSES, route_class=SignedRoute)

Generation = Annotated[int | None, Query(ge=1, description="The generation the device is processing.")]


@router.post(ENROLL_PATH, response_model=EnrollmentReply)
async def enroll(body: BodyDep, services: ServicesDep, source: SourceDep) -> Response:
    """Let a device in."""
    return answer(await services.admission.enroll(EnrollmentRequest.from_json(body), source))


@router.post(KEYS_PATH)
def rotate_device_keys(asked: SignedDep, source: SourceDep) -> EnrollmentReply:
    """Exchange a device's keys and its broker secret."""
    device, services = asked.device, asked.services
    request = KeyRotation.from_json(asked.body)
    with services.database.transaction() as session:
        # An operator may retire it right now.
        row = session.get_one(Device, device.id, with_for_update={"key_share": True})
        if row.retired_at is not None:
            raise TrustError(ErrorCode.SIGNATURE_REFUSED, detail="no such device is enrolled")
        before = {"signing_key": row.signing_key.hex()}
        rotate_keys(session, row, request)
        reply = services.enrollment.hand_out(session, row)
        actor, now, after = DeviceActor(row.id, source), services.clock.now(), {"signing_key": row.signing_key.hex()}
        services.audit.record(session, actor, "device.rotate-keys", row.id, now=now, before=before, after=after)
    services.gate.devices.forget(device.id)
    return reply


@signed_router.post(CHECK_IN_PATH, response_model=CheckInReply)
async def device_check_in(asked: SignedDep) -> Response:
    """Note that a device is there, and send what is due for it."""
    reply = await asked.services.reception.check_in(asked.device.id, CheckIn.from_json(asked.body))
    return answer(reply)


@router.get(ORDERS_PATH)
def orders(asked: SignedDep) -> OrdersReply:
    """What operators want of jobs that the device has already."""
    with asked.services.database.snapshot() as session:
        return OrdersReply(orders=standing_orders(session, asked.device.id))


@signed_router.get(POLICY_PATH, openapi_extra=taking(JOB_ID, GENERATION, IF_NONE_MATCH))
async def policy(asked: SignedDep) -> Response:
    """The signed policy of a live job, unless the device has it already."""
    job_id, generation = job_asked_about(asked)
    job = await asked.services.jobs.live_job(job_id, asked.device.id, generation)
    key = (job.app_id, job.revision, job.intent, job.settings_digest)
    row = await asked.services.kept_policies.current(key, job.trusted_keys_version)
    headers = {"ETag": f'"{row.digest}"', GENERATION_REASON_HEADER: job.generation_reason}
    headers[TRUSTED_KEYS_VERSION_HEADER] = str(row.trusted_keys_version)
    if headers["ETag"] in (tag.strip() for tag in asked.request.headers.get("If-None-Match", "").split(",")):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    return Response(row.envelope, media_type="application/json", headers=headers)


@router.get(TRUSTED_KEYS_PATH)
def trusted_keys(asked: SignedDep, after: Annotated[int, Query(ge=0, le=MAX_COUNT)]) -> TrustedKeysReply:
    """The versions of the trusted keys that follow the one a device knows."""
    with asked.services.database.snapshot() as session:
        return TrustedKeysReply(chain=tuple(asked.services.trust.after(session, after)))


@signed_router.post(CONTENT_INFO_PATH, response_model=ContentInfo, openapi_extra=taking(JOB_ID, GENERATION))
async def content_info(asked: SignedDep) -> Response:
    """Where a live job's content is, and its key, sealed to the device."""
    device, services = asked.device, asked.services
    job_id, generation = job_asked_about(asked)
    job = await services.jobs.live_job(job_id, device.id, generation)
    presigned = services.content_urls.url_of(job.package_digest)
    recipient = X25519PublicKey.from_public_bytes(device.sealing_key)
    context = content_key_context(job.id, device.id, job.package_digest)
    return answer(
        ContentInfo(
            url=presigned.url,
            expires_at=presigned.expires_at,
            size=job.package_size,
            sealed_key=seal(services.content_keys.unwrap(job.wrapped_key), recipient, context),
        )
    )


@router.post(SECRETS_PATH)
def secrets(job_id: str, asked: SignedDep, generation: Generation = None) -> SecretsReply:
    """What the command of a live job is given, sealed to the device."""
    device, services = asked.device, asked.services
    with services.database.snapshot() as session:
        job, revision = live_revision(session, job_id, device.id, generation)
        return SecretsReply(secrets=sealed_secrets(session, services.secrets, job, revision, device))


@signed_router.post(PROGRESS_PATH, response_model=dict[str, int])
async def progress(asked: SignedDep) -> Response:
    """Store a batch of progress."""
    batch = ProgressBatch.from_json(asked.body)
    known = (await asked.services.intake.take(asked.device.id, batch)).known
    return JSONResponse({"stored": known, "unknown": len(batch.items) - known})


@signed_router.post(REPORTS_PATH, response_model=dict[str, bool])
async def report(asked: SignedDep) -> Response:
    """Store a report; the answer means that it is stored for good."""
    message = Report.from_json(asked.body)
    taken = await asked.services.intake.take(asked.device.id, message)
    if taken.new:
        count_report(message)
    if taken.let_go or taken.concerns_others:
        await run_in_threadpool(plan_device, asked.services, asked.device.id)
    return JSONResponse({"stored": True, "new": taken.new})
