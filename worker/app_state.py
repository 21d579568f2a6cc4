"""What the device keeps of an app beyond its attempts (behaviour 2.6, R-02, R-03)."""

from datetime import datetime

from contract.documents import Fragment
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


class ComplianceStateMessage(Fragment):
    """Whether the device is as desired, field by field as the original's message of that name."""

    applicability: Applicability
    compliance_state: ComplianceState
    desired_state: DesiredState
    error_code: int = 0
    targeting_method: TargetingMethod = TargetingMethod.TARGETED
    install_context: InstallContext = InstallContext.SYSTEM
    target_type: TargetType = TargetType.DEVICE
    product_version: str = ""


class EnforcementStateMessage(Fragment):
    """What came of enforcing the desired state, field by field as the original's message of that name."""

    enforcement_state: EnforcementState
    error_code: int = 0
    targeting_method: TargetingMethod = TargetingMethod.TARGETED


class AppState(Fragment):
    """The last result of an app.

    Attributes:
        last_failed_enforcement: When an attempt last failed to bring the app to its desired state; the GRS wait is
            counted from here. None after a success.
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
    last_failed_enforcement: datetime | None = None
    next_action: NextAction | None = None
    updated_at: datetime
