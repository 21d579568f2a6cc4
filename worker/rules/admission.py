"""Whether a message that arrived is to be carried out, answered from memory, or dropped.

| the ledger knows                                       | the message is |
|--------------------------------------------------------|----------------|
| a newer generation of the job                          | void           |
| this phase of this attempt has ended                   | repeated       |
| a newer attempt of the same generation, or it has ended| void           |
| a later turn of this phase waits, the very next one    | repeated       |
| a later turn than the next one                         | void           |
| `poll`, otherwise                                      | due            |
| that this phase began, or that one handed on to it     | due            |
| none of this                                           | unasked        |
"""

from dataclasses import dataclass
from enum import Enum, auto

from contract.jobs import JobRef
from contract.phases import Phase


class Admission(Enum):
    """What to do with a message."""

    #: Carry the phase out, or carry it out again: it never ended.
    DUE = auto()
    #: The phase has ended, or waits; its record is the answer.
    REPEATED = auto()
    #: Drop it with the rest of its chain.
    VOID = auto()
    #: Drop it, too: it comes out of order, and no phase of this device has handed on to it.
    UNASKED = auto()


@dataclass(frozen=True)
class Standing:
    """What the ledger knows about a message's phase, attempt and job.

    Attributes:
        newest_generation: The newest generation of the job seen so far; 0 for none.
        newest_attempt: The newest attempt of the message's generation seen so far; 0 for none.
        closed: The attempt has ended.
        begun: The phase began.
        ended: The phase ended.
        handed_on: A phase of the attempt that ended handed on to this one.
        turn: The number of the message that is to run the phase next; one more after each time the phase had to wait.
    """

    newest_generation: int = 0
    newest_attempt: int = 0
    closed: bool = False
    begun: bool = False
    ended: bool = False
    handed_on: bool = False
    turn: int = 0


def admit(phase: Phase, ref: JobRef, standing: Standing, *, turn: int) -> Admission:
    """What to do with the message that asks for `phase` of `ref`.

    Args:
        phase: What is asked for.
        ref: The attempt.
        standing: What the ledger knows.
        turn: How often the message has been handed to its own phase again.
    """
    if ref.generation < standing.newest_generation:
        return Admission.VOID
    if standing.ended:
        return Admission.REPEATED
    if ref.attempt < standing.newest_attempt or standing.closed:
        return Admission.VOID
    if turn < standing.turn:
        # Only of the latest wait can the message that follows have been lost: earlier ones were seen.
        return Admission.REPEATED if turn + 1 == standing.turn else Admission.VOID
    if phase is Phase.POLL or standing.begun or standing.handed_on:
        return Admission.DUE
    return Admission.UNASKED
