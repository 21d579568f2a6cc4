"""Why an app is as it is on a device."""

from enum import StrEnum

from control.views.base import View


class WhyKind(StrEnum):
    """What a reason is about."""

    #: What is wanted of the device: by an assignment, a relation, a rollout, or not at all.
    PLAN = "plan"
    #: Nothing was sent yet.
    NO_JOB = "no-job"
    #: The device is offline.
    OFFLINE = "offline"
    #: What the device's rules said, with what was compared.
    JUDGEMENT = "judgement"
    #: What went wrong.
    ERROR = "error"
    #: What it waits for, the GRS and closed windows included.
    WAIT = "wait"
    #: How it ended.
    OUTCOME = "outcome"


class WhyReason(View):
    """One link of the chain.

    Attributes:
        words: The reason for people.
        facts: The same for programs; which there are depends on the kind.
    """

    kind: WhyKind
    words: str
    facts: dict[str, str | int | bool | None]


class Why(View):
    """The chain of reasons, in the order in which each follows from the one before.

    Attributes:
        as_wanted: Whether the device is as it is wanted; None where that is not known yet, or nothing is wanted.
    """

    device_id: str
    device: str
    app: str
    as_wanted: bool | None
    reasons: tuple[WhyReason, ...]
