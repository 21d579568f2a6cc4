"""What a job can wait for."""

from enum import StrEnum


class WaitingFor(StrEnum):
    """Whom or what a job that is not over waits for."""

    #: Its device is offline.
    DEVICE = "device"
    #: It stands in the outbox: the broker is away, or others are sent first.
    DISPATCH = "dispatch"
    #: It was sent, and its device has not begun.
    BEGIN = "begin"
    #: Its device works on another job first.
    OTHER_JOB = "other-job"
    #: Another app must be there, or gone, first.
    RELATION = "relation"
    #: Its device is carrying it out.
    PHASE = "phase"
    #: A phase waits in the middle of an attempt, until a time.
    NEXT_TRY = "next-try"
    #: An attempt has ended; the next one has a time and a reason.
    NEXT_ATTEMPT = "next-attempt"
    #: Nothing was heard of it for longer than it may take.
    OVERDUE = "overdue"
    #: Its device is told to let go of it.
    CANCELLATION = "cancellation"
