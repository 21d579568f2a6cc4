"""The state machine of an attempt: what follows a phase, by how it ended.

| ended as | poll to confirm             | compliance | report |
|----------|-----------------------------|------------|--------|
| done     | the next phase              | `report`   | end    |
| settled  | `compliance`                | -          | -      |
| failed   | `compliance`                | `report`   | end    |
| void     | end, and nothing is reported| -          | -      |
"""

from contract.phases import EARLY_END_TARGET, Phase
from contract.report import PhaseOutcome


def successor(phase: Phase, outcome: PhaseOutcome) -> Phase | None:
    """The phase that follows; None where the chain ends."""
    if outcome is PhaseOutcome.VOID:
        return None
    if outcome is PhaseOutcome.DONE or phase.position >= EARLY_END_TARGET.position:
        return phase.follower
    return EARLY_END_TARGET
