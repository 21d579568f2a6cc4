"""How an assignment picks its devices and its time."""

from enum import StrEnum


class Mode(StrEnum):
    """Whether a group, or what a filter matches, is meant or left out."""

    INCLUDE = "include"
    #: Exclusion wins over every inclusion, whatever the intent (behaviour 2.8).
    EXCLUDE = "exclude"


class TimeBasis(StrEnum):
    """Whose clock start and deadline of an assignment go by (behaviour 2.10)."""

    UTC = "utc"
    #: The device's own: the same reading of the clock on the wall, in each time zone at its own moment.
    LOCAL = "local"
