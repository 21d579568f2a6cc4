"""What the device keeps of an app beyond its attempts (behaviour 2.6, R-02, R-03)."""

from datetime import datetime
from typing import Self

from pydantic.alias_generators import to_pascal

from contract.documents import Fragment
from contract.error_codes import signed
from contract.report import ErrorReport, NextAction
from contract.states import (
    Applicability,
    ComplianceState,
    DesiredState,
    DetectionState,
    EnforcementState,
    InstallContext,
    Intent,
    Outcome,
    TargetingMethod,
    TargetType,
)
from contract.waits import overshoot
from worker.rules.grs import grs_hash


class StateMessage(Fragment):
    """A message that tools of the original know by its field names."""

    error_code: int = 0

    def original(self) -> dict[str, int | str]:
        """The message with the original's names and numbers; the error code is a signed 32-bit number there."""
        fields = {to_pascal(name): value for name, value in self.model_dump(mode="json").items()}
        return fields | {"ErrorCode": signed(self.error_code)}


class ComplianceStateMessage(StateMessage):
    """Whether the device is as desired, field by field as the original's message of that name."""

    applicability: Applicability
    compliance_state: ComplianceState
    desired_state: DesiredState
    targeting_method: TargetingMethod = TargetingMethod.TARGETED
    install_context: InstallContext = InstallContext.SYSTEM
    target_type: TargetType = TargetType.DEVICE
    product_version: str = ""


class EnforcementStateMessage(StateMessage):
    """What came of enforcing the desired state, field by field as the original's message of that name."""

    enforcement_state: EnforcementState
    targeting_method: TargetingMethod = TargetingMethod.TARGETED


class AppState(Fragment):
    """The last result of an app.

    Attributes:
        raw_exit_code: The installer's exit code as the system gave it; ExitCode in the original's registry.
        download_started_at: When the attempt began to fetch content; None where it fetched none.
        last_failed_enforcement: When an attempt last failed to bring the app to its desired state; the GRS wait is
            counted from here. None after a success.
        grs_expires_at: When that wait is over.
        next_action: What the device does by itself next, when, and why only then.
    """

    app_id: str
    app_name: str
    app_version: str = ""
    revision: int
    intent: Intent
    job_id: str
    generation: int
    attempt: int
    outcome: Outcome
    detection_state: DetectionState
    compliance: ComplianceStateMessage
    enforcement: EnforcementStateMessage
    error: ErrorReport | None = None
    raw_exit_code: int | None = None
    download_started_at: datetime | None = None
    last_failed_enforcement: datetime | None = None
    grs_expires_at: datetime | None = None
    next_action: NextAction | None = None
    updated_at: datetime

    def as_of(self, now: datetime) -> Self:
        """The same by a clock that may have been set back since: no wait is longer than it was stated."""
        action, failed, expires = self.next_action, self.last_failed_enforcement, self.grs_expires_at
        if failed is not None and expires is not None:
            ahead = overshoot(failed, now=now)
            failed, expires = failed - ahead, expires - ahead
        changes = {
            "next_action": None if action is None else action.as_of(now),
            "last_failed_enforcement": failed,
            "grs_expires_at": expires,
        }
        return self.model_copy(update=changes)

    @property
    def grs_hash(self) -> str:
        """What the GRS is kept under; a new revision or intent has another one and runs at once."""
        return grs_hash(self.app_id, self.revision, self.intent)
