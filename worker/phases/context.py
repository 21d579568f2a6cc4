"""What a phase is given, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from contract.error_codes import ErrorCode
from contract.errors import OutriderError, PhaseError
from contract.jobs import JobRef
from contract.policy import Policy
from contract.report import PhaseOutcome, WaitReason
from worker.device import Device
from worker.findings import Findings


@dataclass(frozen=True)
class PhaseContext:
    """One attempt as one phase sees it.

    Attributes:
        findings: What the earlier phases found.
        on_bytes: To be told bytes done and bytes in all while the phase moves any.
        started_at: When the phase began.
    """

    ref: JobRef
    device: Device
    findings: Findings
    on_bytes: Callable[[int, int], None]
    started_at: datetime

    @cached_property
    def policy(self) -> Policy:
        """The policy the attempt works with.

        Raises:
            PhaseError: POLICY_UNAVAILABLE: there is none yet, or the ledger has lost it.
        """
        digest = self.findings.policy_digest
        policy = None if digest is None else self.device.ledger.policies.policy(digest)
        if policy is None:
            raise PhaseError(ErrorCode.POLICY_UNAVAILABLE, detail="the attempt has no policy in the ledger")
        return policy


@dataclass(frozen=True)
class PhaseResult:
    """How a phase ended.

    Attributes:
        findings: What is known now.
        summary: What it found, in words an operator reads.
        bytes_done: Bytes it moved.
        error: What went wrong, where a phase that failed found out more than its error says.
    """

    outcome: PhaseOutcome
    findings: Findings
    summary: str
    bytes_done: int = 0
    error: OutriderError | None = None


@dataclass(frozen=True)
class Deferred:
    """The phase cannot do its work yet; it is run again later, and the rest of the chain waits with it.

    Attributes:
        reason: Why; shown on the device and in the control plane.
        seconds: How long from now.
        detail: The facts: what does not answer, who holds it up.
    """

    reason: WaitReason
    seconds: float
    detail: str = ""


#: A phase: what it does to one attempt. It raises an `OutriderError` where it fails.
PhaseFunction = Callable[[PhaseContext], PhaseResult | Deferred]


def done(findings: Findings, summary: str, *, bytes_done: int = 0) -> PhaseResult:
    """The phase did its work; the next one follows."""
    return PhaseResult(PhaseOutcome.DONE, findings, summary, bytes_done)


def settled(findings: Findings, summary: str) -> PhaseResult:
    """Nothing is left to do but to set and report what was found."""
    return PhaseResult(PhaseOutcome.SETTLED, findings, summary)


def void(findings: Findings, summary: str) -> PhaseResult:
    """Nobody wants the job any more; nothing is reported."""
    return PhaseResult(PhaseOutcome.VOID, findings, summary)


def failed(findings: Findings, error: OutriderError) -> PhaseResult:
    """The attempt failed here; what the phase found out is kept."""
    return PhaseResult(PhaseOutcome.FAILED, findings, str(error), error=error)
