"""A small typed client of the operators' API; the CLI uses nothing else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import AnyHttpUrl, BaseModel, TypeAdapter, ValidationError

from contract.error_codes import ErrorCode
from contract.errors import InputError, NotFoundError, OutriderError, TrustError, UnavailableError
from contract.secure_addresses import tls_context
from contract.uplink import Problem
from control.catalog.manifest import Manifest
from control.views.access import (
    EnrollmentTokenRequest,
    EnrollmentTokenView,
    NewOperatorTokenView,
    OperatorTokenRequest,
    OperatorTokenView,
)
from control.views.assignments import AssignmentRequest, AssignmentView
from control.views.audit import AuditEntryView, AuditVerdictView
from control.views.catalog import AppDetail, AppView, PackageView, PublishReply, PublishRequest
from control.views.fleet import DeviceDetail, DeviceView, GroupDetail, GroupRequest, GroupView, ReplacementRequest
from control.views.jobs import JobDetail, JobView
from control.views.steering import BulkSteeringRequest, SteeringReply, SteeringRequest

ModelT = TypeVar("ModelT", bound=BaseModel)

_CONNECT_SECONDS: Final = 5
#: The content store may take a while to take a large package in.
_ANSWER_SECONDS: Final = 600
_CHUNK_BYTES: Final = 1 << 20

_UNAUTHORIZED = frozenset({401, 403})
_NOT_FOUND = 404
_LATER = frozenset({408, 429, 502, 503, 504})
_SERVER_ERROR = 500


class ControlClient:
    """The control plane, as an operator with a token sees it.

    Every method raises:
        UnavailableError: The control plane does not answer, or one of its parts does not.
        TrustError: The token is refused, or its role is too low.
        NotFoundError: A name stands for nothing.
        InputError: Something else about the request is wrong.
        OutriderError: The control plane failed.

    Making one raises:
        InputError: The URL is no address.
    """

    def __init__(self, url: str, token: str, *, transport: httpx.BaseTransport | None = None) -> None:
        timeout = httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS)
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(
            base_url=_address(url), headers=headers, timeout=timeout, transport=transport, verify=tls_context()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()

    def upload(self, path: Path, advance: Callable[[int], None]) -> PackageView:
        """Upload a package; `advance` is told the bytes of each piece that was sent."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(path.stat().st_size)}
        with path.open("rb") as file:
            pieces = _pieces(iter(lambda: file.read(_CHUNK_BYTES), b""), advance)
            return self._one(PackageView, "POST", "/v1/packages", content=pieces, headers=headers)

    def publish(self, manifest: Manifest, package: str) -> PublishReply:
        """Make a revision of a manifest and an uploaded package."""
        data = manifest.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return self._send(PublishReply, "/v1/apps", PublishRequest(manifest=data, package=package))

    def apps(self) -> list[AppView]:
        """All apps."""
        return self._many(AppView, "/v1/apps")

    def app(self, name: str) -> AppDetail:
        """One app."""
        return self._one(AppDetail, "GET", f"/v1/apps/{_word(name)}")

    def create_group(self, name: str) -> GroupView:
        """Make an empty group."""
        return self._send(GroupView, "/v1/groups", GroupRequest(name=name))

    def groups(self) -> list[GroupView]:
        """All groups."""
        return self._many(GroupView, "/v1/groups")

    def group(self, name: str) -> GroupDetail:
        """One group with its devices."""
        return self._one(GroupDetail, "GET", f"/v1/groups/{_word(name)}")

    def add_member(self, group: str, device: str) -> None:
        """Put a device into a group."""
        self._request("PUT", f"/v1/groups/{_word(group)}/members/{_word(device)}")

    def remove_member(self, group: str, device: str) -> None:
        """Take a device out of a group."""
        self._request("DELETE", f"/v1/groups/{_word(group)}/members/{_word(device)}")

    def assign(self, request: AssignmentRequest) -> AssignmentView:
        """Want an app on a group."""
        return self._send(AssignmentView, "/v1/assignments", request)

    def assignments(self) -> list[AssignmentView]:
        """All assignments."""
        return self._many(AssignmentView, "/v1/assignments")

    def create_enrollment_token(self, request: EnrollmentTokenRequest) -> EnrollmentTokenView:
        """Make a token that devices enrol with."""
        return self._send(EnrollmentTokenView, "/v1/enrollment-tokens", request)

    def devices(self) -> list[DeviceView]:
        """All devices."""
        return self._many(DeviceView, "/v1/devices")

    def device(self, name_or_id: str) -> DeviceDetail:
        """One device with its jobs."""
        return self._one(DeviceDetail, "GET", f"/v1/devices/{_word(name_or_id)}")

    def me(self) -> OperatorTokenView:
        """The token that this client uses."""
        return self._one(OperatorTokenView, "GET", "/v1/me")

    def create_token(self, request: OperatorTokenRequest) -> NewOperatorTokenView:
        """Make an operator's token."""
        return self._send(NewOperatorTokenView, "/v1/tokens", request)

    def tokens(self) -> list[OperatorTokenView]:
        """All operators' tokens, without themselves."""
        return self._many(OperatorTokenView, "/v1/tokens")

    def revoke_token(self, token_id: str) -> OperatorTokenView:
        """Make a token void."""
        return self._one(OperatorTokenView, "DELETE", f"/v1/tokens/{_word(token_id)}")

    def audit(self, *, after: int = 0) -> list[AuditEntryView]:
        """Entries of the audit log, oldest first, one answer's worth."""
        return self._many(AuditEntryView, "/v1/audit", params={"after": after})

    def audit_verdict(self) -> AuditVerdictView:
        """Whether the audit log is whole."""
        return self._one(AuditVerdictView, "GET", "/v1/audit/verdict")

    def retire(self, device: str) -> DeviceView:
        """Shut a device out for good."""
        return self._one(DeviceView, "POST", f"/v1/devices/{_word(device)}/retire")

    def replace(self, device: str, request: ReplacementRequest) -> EnrollmentTokenView:
        """Make a token for the device that takes this one's place."""
        return self._send(EnrollmentTokenView, f"/v1/devices/{_word(device)}/replace", request)

    def status(self, *, app: str | None = None, group: str | None = None, device: str | None = None) -> list[JobView]:
        """The jobs, of one app, group or device where named."""
        given = {"app": app, "group": group, "device": device}
        return self._many(JobView, "/v1/status", params={name: value for name, value in given.items() if value})

    def job(self, job_id: str) -> JobDetail:
        """One job."""
        return self._one(JobDetail, "GET", f"/v1/jobs/{_word(job_id)}")

    def retry_job(self, job_id: str, request: SteeringRequest) -> SteeringReply:
        """Send a job anew, now."""
        return self._send(SteeringReply, f"/v1/jobs/{_word(job_id)}/retry", request)

    def retry_jobs(self, request: BulkSteeringRequest) -> SteeringReply:
        """Send many jobs anew, now."""
        return self._send(SteeringReply, "/v1/jobs/retry", request)

    def cancel_job(self, job_id: str, request: SteeringRequest) -> SteeringReply:
        """Cancel a job."""
        return self._send(SteeringReply, f"/v1/jobs/{_word(job_id)}/cancel", request)

    def cancel_jobs(self, request: BulkSteeringRequest) -> SteeringReply:
        """Cancel many jobs."""
        return self._send(SteeringReply, "/v1/jobs/cancel", request)

    def _send(self, kind: type[ModelT], path: str, body: BaseModel) -> ModelT:
        headers = {"Content-Type": "application/json"}
        return self._one(kind, "POST", path, content=body.model_dump_json(), headers=headers)

    def _one(self, kind: type[ModelT], method: str, path: str, **options: Any) -> ModelT:
        response = self._request(method, path, **options)
        with _understood(response):
            return kind.model_validate_json(response.content)

    def _many(self, kind: type[ModelT], path: str, **options: Any) -> list[ModelT]:
        response = self._request("GET", path, **options)
        with _understood(response):
            return TypeAdapter(list[kind]).validate_json(response.content)  # type: ignore[valid-type]  # at run time

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            place = str(self._http.base_url)
            raise UnavailableError(ErrorCode.API_UNAVAILABLE, place=place, detail=str(error)) from error
        if not response.is_success:
            raise refusal(response)
        return response


def refusal(response: httpx.Response) -> OutriderError:
    """The error that an answer stands for."""
    status = response.status_code
    try:
        problem = Problem.model_validate_json(response.content)
        code = ErrorCode.from_slug(problem.code)
    except (ValidationError, KeyError):
        detail = f"HTTP {status} without a problem that this side knows"
        return _kind(status)(ErrorCode.API_ERROR, place=str(response.url), detail=detail)
    return _kind(status)(code, detail=problem.detail, place=problem.place)


def _kind(status: int) -> type[OutriderError]:
    if status in _UNAUTHORIZED:
        return TrustError
    if status == _NOT_FOUND:
        return NotFoundError
    if status in _LATER:
        return UnavailableError
    return OutriderError if status >= _SERVER_ERROR else InputError


@contextmanager
def _understood(response: httpx.Response) -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        detail = "its answer is not what this version understands; update the older side"
        raise OutriderError(ErrorCode.API_ERROR, place=str(response.url), detail=detail) from error


def _pieces(chunks: Iterator[bytes], advance: Callable[[int], None]) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk
        advance(len(chunk))


def _address(url: str) -> str:
    try:
        TypeAdapter(AnyHttpUrl).validate_python(url)
    except ValidationError as error:
        raise InputError(ErrorCode.URL_INVALID, place=url, detail=error.errors()[0]["msg"]) from error
    return url


def _word(name: str) -> str:
    return quote(name, safe="")
