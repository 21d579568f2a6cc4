"""A control plane in memory: it ships with the product so that an agent can be tested without one."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime

from contract.available_apps import AppRequest, AppRequestReply, AvailableApp, AvailableAppsReply
from contract.envelopes import SignedEnvelope
from contract.error_codes import ErrorCode
from contract.errors import NotFoundError, TrustError, UnavailableError
from contract.jobs import JobRef
from contract.report import Progress, Report
from contract.uplink import (
    MAX_TRUSTED_KEYS_VERSIONS,
    CheckIn,
    CheckInReply,
    ContentInfo,
    EnrollmentReply,
    GenerationReason,
    JobOrder,
    KeyRotation,
    OrdersReply,
    ProgressBatch,
    SecretsReply,
    TrustedKeysReply,
)
from worker.uplink.port import PolicyReply


@dataclass
class MemoryUplink:
    """Answers what it was given and keeps what it is told.

    Attributes:
        available: While false, every call fails as if nobody answered.
        policies: The signed policy of each job.
        contents: The content information of each job.
        sealed_secrets: What the command of each job is given.
        reasons: Why a job has its generation, where that is not `PLANNED`.
        trusted_keys_chain: The versions of the trusted keys from the second one on.
        standing_orders: The orders it gives.
        offers: The available apps, by name.
        asked_for_content: How often content information was asked for.
    """

    available: bool = True
    policies: dict[str, SignedEnvelope] = field(default_factory=dict)
    contents: dict[str, ContentInfo] = field(default_factory=dict)
    sealed_secrets: dict[str, SecretsReply] = field(default_factory=dict)
    reasons: dict[str, GenerationReason] = field(default_factory=dict)
    trusted_keys_chain: list[SignedEnvelope] = field(default_factory=list)
    standing_orders: list[JobOrder] = field(default_factory=list)
    offers: dict[str, AvailableApp] = field(default_factory=dict)
    check_ins: list[CheckIn] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    progress_items: list[Progress] = field(default_factory=list)
    asked_for_content: int = 0
    check_in_interval_seconds: float = 3600

    def check_in(self, check_in: CheckIn) -> CheckInReply:
        """See `Uplink.check_in`."""
        self._answer()
        self.check_ins.append(check_in)
        return CheckInReply(
            jobs_sent=0,
            check_in_interval_seconds=self.check_in_interval_seconds,
            server_time=datetime.now(UTC),
            trusted_keys_version=1 + len(self.trusted_keys_chain),
            orders=tuple(self.standing_orders),
        )

    def policy(self, ref: JobRef, *, known_digest: str | None) -> PolicyReply:
        """See `Uplink.policy`."""
        self._answer()
        if ref.job_id not in self.policies:
            raise NotFoundError(ErrorCode.UNKNOWN_JOB, place=ref.job_id)
        envelope = self.policies[ref.job_id].to_json().encode()
        digest, version = hashlib.sha256(envelope).hexdigest(), 1 + len(self.trusted_keys_chain)
        reason = self.reasons.get(ref.job_id, GenerationReason.PLANNED)
        return PolicyReply(digest, None if digest == known_digest else envelope, version, reason)

    def trusted_keys(self, *, after: int) -> TrustedKeysReply:
        """See `Uplink.trusted_keys`."""
        self._answer()
        return TrustedKeysReply(chain=tuple(self.trusted_keys_chain[after - 1 :][:MAX_TRUSTED_KEYS_VERSIONS]))

    def content_info(self, ref: JobRef) -> ContentInfo:
        """See `Uplink.content_info`."""
        self._answer()
        self.asked_for_content += 1
        return self.contents[ref.job_id]

    def secrets(self, ref: JobRef) -> SecretsReply:
        """See `Uplink.secrets`."""
        self._answer()
        if ref.job_id not in self.sealed_secrets:
            raise NotFoundError(ErrorCode.UNKNOWN_SECRET, detail="none was sealed for the job")
        return self.sealed_secrets[ref.job_id]

    def orders(self) -> OrdersReply:
        """See `Uplink.orders`."""
        self._answer()
        return OrdersReply(orders=tuple(self.standing_orders))

    def progress(self, batch: ProgressBatch) -> None:
        """See `Uplink.progress`."""
        self._answer()
        self.progress_items.extend(batch.items)

    def available_apps(self, *, after: str = "", app: str = "") -> AvailableAppsReply:
        """See `Uplink.available_apps`; it knows names, and holds all that it has in one answer."""
        self._answer()
        if app:
            return AvailableAppsReply(apps=(self._offered(app),))
        return AvailableAppsReply(apps=tuple(one for name, one in sorted(self.offers.items()) if name > after))

    def request_app(self, request: AppRequest) -> AppRequestReply:
        """See `Uplink.request_app`; it is only noted."""
        self._answer()
        asked = self._offered(request.app).model_copy(update={"requested": request.kind})
        self.offers[asked.name] = asked
        return AppRequestReply(app=asked)

    def rotate_keys(self, rotation: KeyRotation) -> EnrollmentReply:  # noqa: ARG002  the port's signature
        """See `Uplink.rotate_keys`; this control plane knows no devices and so refuses."""
        self._answer()
        raise TrustError(ErrorCode.SIGNATURE_REFUSED)

    def report(self, report: Report) -> None:
        """See `Uplink.report`."""
        self._answer()
        self.reports.append(report)

    def _offered(self, name: str) -> AvailableApp:
        if name not in self.offers:
            raise NotFoundError(ErrorCode.APP_NOT_AVAILABLE, place=name)
        return self.offers[name]

    def _answer(self) -> None:
        if not self.available:
            raise UnavailableError(ErrorCode.API_UNAVAILABLE, detail="switched off")
