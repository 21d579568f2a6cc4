"""What an attempt has found out so far; each phase reads it and adds to it."""

from contract.documents import Fragment
from contract.policy import Policy
from contract.report import ErrorReport, NextAction
from contract.states import (
    Applicability,
    ComplianceState,
    DesiredState,
    DetectionState,
    EnforcementState,
    Intent,
    Outcome,
    ReturnCodeType,
)
from worker.rules.desired import desired_state


class Findings(Fragment):
    """The results of an attempt's phases, kept in the ledger beside their records.

    Attributes:
        policy_digest: SHA-256 of the signed policy's bytes in lower-case hex; the ledger keeps the policy itself.
        asked_generation: The newest generation of the job that somebody asked for, "retry now"; 0 for none.
        outcome: Set by the phase that decides it.
        raw_exit_code: The installer's exit code as the system gave it.
        exit_kind: What that exit code means.
        user_name: In whose name the command ran where it ran in a person's.
        output_tail: The end of what the installer printed.
        bytes_downloaded: Bytes this attempt fetched from the content store.
        next_action: What the device does by itself after this attempt.
    """

    policy_digest: str | None = None
    asked_generation: int = 0
    app_id: str = ""
    app_name: str = ""
    revision: int = 0
    intent: Intent = Intent.NOT_TARGETED
    desired_state: DesiredState = DesiredState.UNKNOWN
    detection_state: DetectionState = DetectionState.UNKNOWN
    applicability: Applicability = Applicability.APPLICABLE
    outcome: Outcome | None = None
    error: ErrorReport | None = None
    raw_exit_code: int | None = None
    exit_kind: ReturnCodeType | None = None
    user_name: str = ""
    output_tail: str = ""
    bytes_downloaded: int = 0
    compliance_state: ComplianceState = ComplianceState.UNKNOWN
    enforcement_state: EnforcementState = EnforcementState.UNKNOWN
    next_action: NextAction | None = None

    def about(self, policy: Policy, digest: str) -> "Findings":
        """The same, knowing which policy the attempt works with."""
        return self.model_copy(
            update={
                "policy_digest": digest,
                "app_id": policy.app_id,
                "app_name": policy.app_name,
                "revision": policy.revision,
                "intent": policy.intent,
                "desired_state": desired_state(policy.intent),
            }
        )
