"""A job: one revision, one device, one intent; and the little of it that travels through the broker."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

#: Job and device ids are UUIDs in canonical lower case: nothing else gets into a queue's, key's or path's name.
ID_PATTERN = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


class JobRef(BaseModel):
    """Who and which: all that a message of a job's chain carries.

    Attributes:
        job_id: The job.
        generation: Raised whenever the job is sent anew; messages of older generations are void.
        attempt: 1, 2, ... within the generation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    job_id: str = Field(pattern=ID_PATTERN)
    generation: int = Field(ge=1)
    attempt: int = Field(ge=1)

    def next_attempt(self) -> "JobRef":
        """The same job, one attempt later."""
        return self.model_copy(update={"attempt": self.attempt + 1})


class JobState(StrEnum):
    """Where a job is, as the control plane knows it."""

    #: Planned; its device has not been seen yet or is offline.
    PLANNED = "planned"
    #: Its chain is on the way to the device.
    SENT = "sent"
    #: The device has begun to process it.
    RUNNING = "running"
    #: An attempt failed; the next one has a time and a reason.
    WAITING = "waiting"
    #: Its device has judged it; nothing is executed before other apps are there, or gone.
    HELD = "held"
    #: Cancelled by an operator, or no longer wanted; the device that has it has not said yet that it let go.
    CANCELLING = "cancelling"
    #: It ended, one way or the other; its outcome says how.
    FINISHED = "finished"
    #: Void: nobody wants it any more.
    CANCELLED = "cancelled"
