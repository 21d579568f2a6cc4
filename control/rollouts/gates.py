"""The gates of a ring, as pure functions: whether enough succeeded to go on, whether too much failed."""

from dataclasses import dataclass
from typing import Final

from control.rollouts.counts import RingCounts, Standing
from control.rollouts.spec import FailureGate, SuccessGate

_WHOLE: Final = 100


@dataclass(frozen=True)
class GateVerdict:
    """What a gate says.

    Attributes:
        holds: For the success gate whether it is met; for the failure gate whether it has tripped.
        words: The figures it was judged by.
    """

    holds: bool
    words: str


def success_gate(gate: SuccessGate, counts: RingCounts, accepted: int = 0) -> GateVerdict:
    """Whether enough of a ring is as wanted.

    Nobody offline keeps a ring waiting, but a ring of which nobody has answered shows nothing and waits. A ring of
    which nobody is meant, or that has no devices, has nothing to show.

    Args:
        gate: What must be.
        counts: What is.
        accepted: Failed devices that an operator accepted: they are left out.
    """
    if not counts.devices:
        return GateVerdict(holds=True, words="no device is in it")
    telling = counts.telling - min(accepted, counts.of(Standing.FAILED))
    succeeded = counts.of(Standing.SUCCEEDED)
    if not telling:
        absent = counts.of(Standing.ABSENT)
        words = f"all {absent} that could tell are offline" if absent else "it concerns none of its devices"
        return GateVerdict(holds=not absent, words=words)
    holds = succeeded * _WHOLE >= gate.percent * telling and (succeeded > 0 or gate.percent == 0)
    return GateVerdict(holds, f"{succeeded} of {telling} as wanted, {gate.percent:g} % are needed")


def failure_gate(gate: FailureGate, counts: RingCounts, accepted: int = 0) -> GateVerdict:
    """Whether too much of a ring failed.

    Args:
        gate: How much may.
        counts: What did.
        accepted: Failed devices that an operator accepted: they count neither as failed nor at all.
    """
    failing = failures(gate, counts)
    known = min(accepted, failing)
    failing, telling = failing - known, counts.telling - known
    words = f"{failing} of {telling} failed"
    if failing and gate.count is not None and failing >= gate.count:
        return GateVerdict(holds=True, words=f"{words}, {gate.count} halt the rollout")
    if failing and gate.percent is not None and failing * _WHOLE > gate.percent * telling:
        return GateVerdict(holds=True, words=f"{words}, more than {gate.percent:g} % halt the rollout")
    return GateVerdict(holds=False, words=words)


def failures(gate: FailureGate, counts: RingCounts) -> int:
    """How many devices the gate counts as failed."""
    failed = sum(number for kind, number in counts.failed.items() if kind in gate.classes)
    if not gate.first_attempts:
        return failed
    return failed + sum(number for kind, number in counts.retrying.items() if kind in gate.classes)
