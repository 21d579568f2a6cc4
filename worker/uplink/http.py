"""The uplink over HTTPS, every request signed by the device."""

import hashlib
import re
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlencode

import httpx
from structlog import get_logger

from contract.available_apps import AppRequest, AppRequestReply, AvailableAppsReply
from contract.clock import Clock
from contract.documents import Document
from contract.errors import ClockSkewedError, RateLimitedError
from contract.http_signatures import SignableRequest, sign_request
from contract.jobs import JobRef
from contract.report import Report
from contract.uplink import (
    APP_REQUESTS_PATH,
    AVAILABLE_APPS_PATH,
    CHECK_IN_PATH,
    CONTENT_INFO_PATH,
    GENERATION_REASON_HEADER,
    KEYS_PATH,
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
    GenerationReason,
    KeyRotation,
    OrdersReply,
    ProgressBatch,
    SecretsReply,
    TrustedKeysReply,
)
from worker.identity import Identity
from worker.uplink.pause import Pause
from worker.uplink.port import PolicyReply
from worker.uplink.transport import send

_log = get_logger(__name__)

_VERSION = re.compile("[0-9]{1,9}")


class HttpUplink:
    """The control plane behind its URL.

    Attributes:
        client: Keeps the connections; its base URL is the control plane's.
    """

    def __init__(self, client: httpx.Client, identity: Identity, clock: Clock) -> None:
        self.client = client
        self._identity = identity
        self._clock = clock
        self._offset = timedelta()
        self._pause = Pause()

    def check_in(self, check_in: CheckIn) -> CheckInReply:
        """See `Uplink.check_in`."""
        return CheckInReply.from_json(self._post(CHECK_IN_PATH, check_in).content)

    def policy(self, ref: JobRef, *, known_digest: str | None) -> PolicyReply:
        """See `Uplink.policy`."""
        headers = {} if known_digest is None else {"If-None-Match": f'"{known_digest}"'}
        response = self._send("GET", _of_generation(POLICY_PATH, ref), headers=headers)
        reason, version = _reason(response), _trusted_keys_version(response)
        if response.status_code == HTTPStatus.NOT_MODIFIED and known_digest is not None:
            return PolicyReply(known_digest, None, version, reason)
        return PolicyReply(hashlib.sha256(response.content).hexdigest(), response.content, version, reason)

    def trusted_keys(self, *, after: int) -> TrustedKeysReply:
        """See `Uplink.trusted_keys`."""
        return TrustedKeysReply.from_json(self._send("GET", f"{TRUSTED_KEYS_PATH}?after={after}").content)

    def content_info(self, ref: JobRef) -> ContentInfo:
        """See `Uplink.content_info`."""
        response = self._send("POST", _of_generation(CONTENT_INFO_PATH, ref))
        return ContentInfo.from_json(response.content)

    def secrets(self, ref: JobRef) -> SecretsReply:
        """See `Uplink.secrets`."""
        return SecretsReply.from_json(self._send("POST", _of_generation(SECRETS_PATH, ref)).content)

    def orders(self) -> OrdersReply:
        """See `Uplink.orders`."""
        return OrdersReply.from_json(self._send("GET", ORDERS_PATH).content)

    def progress(self, batch: ProgressBatch) -> None:
        """See `Uplink.progress`."""
        self._post(PROGRESS_PATH, batch)

    def available_apps(self, *, after: str = "", app: str = "") -> AvailableAppsReply:
        """See `Uplink.available_apps`."""
        asked = urlencode({"after": after, "app": app})
        return AvailableAppsReply.from_json(self._send("GET", f"{AVAILABLE_APPS_PATH}?{asked}").content)

    def request_app(self, request: AppRequest) -> AppRequestReply:
        """See `Uplink.request_app`."""
        return AppRequestReply.from_json(self._post(APP_REQUESTS_PATH, request).content)

    def rotate_keys(self, rotation: KeyRotation) -> EnrollmentReply:
        """See `Uplink.rotate_keys`."""
        return EnrollmentReply.from_json(self._post(KEYS_PATH, rotation).content)

    def report(self, report: Report) -> None:
        """See `Uplink.report`."""
        self._post(REPORTS_PATH, report)

    def _post(self, path: str, document: Document) -> httpx.Response:
        headers = {"Content-Type": "application/json"}
        return self._send("POST", path, body=document.to_json().encode(), headers=headers)

    def _send(
        self, method: str, path: str, *, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        self._pause.check(self._clock.monotonic())
        try:
            return self._send_signed(method, path, body, headers)
        except ClockSkewedError as error:
            # What the control plane says the time is has come over TLS. The device's own clock stays as it is.
            self._offset = error.server_time - self._clock.now()
            _log.warning(
                "requests are signed by the control plane's clock", offset_seconds=self._offset.total_seconds()
            )
            return self._send_signed(method, path, body, headers)
        except RateLimitedError as error:
            self._pause.begin(self._clock.monotonic(), error.retry_after_seconds)
            raise

    def _send_signed(self, method: str, path: str, body: bytes, headers: dict[str, str] | None) -> httpx.Response:
        request = self.client.build_request(method, path, content=body, headers=headers)
        signable = SignableRequest(method, str(request.url), request.headers)
        now = self._clock.now() + self._offset
        sign_request(signable, body, key=self._identity.signer, key_id=self._identity.device_id, now=now)
        return send(self.client, request)


def _reason(response: httpx.Response) -> GenerationReason:
    """The header's word; one that this agent does not know ends no wait."""
    try:
        return GenerationReason(response.headers.get(GENERATION_REASON_HEADER, GenerationReason.PLANNED))
    except ValueError:
        return GenerationReason.PLANNED


def _trusted_keys_version(response: httpx.Response) -> int:
    """The header's number; without one there is nothing to learn."""
    said = response.headers.get(TRUSTED_KEYS_VERSION_HEADER, "")
    return int(said) if _VERSION.fullmatch(said) else 1


def _of_generation(path: str, ref: JobRef) -> str:
    return f"{path.format(job_id=ref.job_id)}?generation={ref.generation}"
