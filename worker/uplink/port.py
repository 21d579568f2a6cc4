"""What the agent says to the control plane, call by call.

Errors that every call may raise:
    UnavailableError: It does not answer, or says that it cannot right now; the same call may work later.
    TrustError: It does not accept this device's signature, or the device no longer.
    OutriderError: It refused, with the code of the error table that it gave as its reason.
"""

from dataclasses import dataclass
from typing import Protocol

from contract.available_apps import AppRequest, AppRequestReply, AvailableAppsReply
from contract.jobs import JobRef
from contract.report import Report
from contract.uplink import (
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


@dataclass(frozen=True)
class PolicyReply:
    """The answer to the question for a job's policy.

    Attributes:
        digest: SHA-256 of the signed policy's bytes in lower-case hex.
        envelope: Those bytes; None where the one already known is still the right one.
        trusted_keys_version: The newest version of the trusted keys.
        reason: Why the job has the generation it was asked for with.
    """

    digest: str
    envelope: bytes | None
    trusted_keys_version: int
    reason: GenerationReason = GenerationReason.PLANNED


class Uplink(Protocol):
    """The control plane as an enrolled device sees it."""

    def check_in(self, check_in: CheckIn) -> CheckInReply:
        """Say that the device is there."""
        ...

    def policy(self, ref: JobRef, *, known_digest: str | None) -> PolicyReply:
        """The signed policy of a job, unless it is the one already known; refused for an older generation."""
        ...

    def trusted_keys(self, *, after: int) -> TrustedKeysReply:
        """The versions of the trusted keys that follow this one; the first ones, where there are many."""
        ...

    def content_info(self, ref: JobRef) -> ContentInfo:
        """Where the content of a job's revision is, and the key to it, sealed; refused for an older generation."""
        ...

    def secrets(self, ref: JobRef) -> SecretsReply:
        """What the command of a job is given, sealed; refused for an older generation."""
        ...

    def orders(self) -> OrdersReply:
        """The orders that stand for this device."""
        ...

    def progress(self, batch: ProgressBatch) -> None:
        """Tell where attempts are right now; may be lost without harm."""
        ...

    def available_apps(self, *, after: str = "", app: str = "") -> AvailableAppsReply:
        """The apps that this device is offered whose names follow this one, or the one with this id or name."""
        ...

    def request_app(self, request: AppRequest) -> AppRequestReply:
        """Ask for an available app; the same again tries anew what failed, and changes nothing else."""
        ...

    def rotate_keys(self, rotation: KeyRotation) -> EnrollmentReply:
        """Exchange the device's keys; the same again changes nothing but the broker secret."""
        ...

    def report(self, report: Report) -> None:
        """Deliver a report; one that was delivered before is taken again without effect."""
        ...
