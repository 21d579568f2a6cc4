"""What follows a phase: the engine decides it, the queue's end carries it out."""

from dataclasses import dataclass
from typing import Protocol

from contract.jobs import JobRef
from contract.phases import Phase


@dataclass(frozen=True)
class NextChain:
    """A new chain of the same job, to be sent to the device's own queue.

    Attributes:
        ref: The job with the generation and attempt of the new chain.
        countdown_seconds: How long it waits before its first phase.
    """

    ref: JobRef
    countdown_seconds: float


@dataclass(frozen=True)
class Handover:
    """What is to happen when a phase has ended.

    Attributes:
        go_on_at: The next phase to run, the links between dropped; None ends the chain.
        retry_in_seconds: Run this very phase again after so long; the rest of the chain waits with it.
        next_chain: A chain to send besides.
    """

    go_on_at: Phase | None = None
    retry_in_seconds: float | None = None
    next_chain: NextChain | None = None


class PhaseRunner(Protocol):
    """What the queue's end calls; the engine is one."""

    def run(self, phase: Phase, ref: JobRef, *, turn: int = 0) -> Handover:
        """Run a phase of a job, or recall how it ended, and say what follows.

        Args:
            phase: What the message asks for.
            ref: The attempt.
            turn: How often the phase was handed to itself again, because it had to wait, before this message.
        """
        ...
