"""How a simulated fleet stands: what one process says of its part, and the sum of them."""

from collections import Counter
from collections.abc import Iterable
from functools import reduce

from pydantic import BaseModel, ConfigDict, Field


class Standing(BaseModel):
    """A fleet, or a part of it, at one moment.

    Attributes:
        enrolled: Devices that have an identity.
        present: Devices that have appeared.
        outcomes: Results by kind, one for each device and app.
        installed_twice: Devices on which an installer succeeded for a revision that was there already.
        stumbles: Turns of devices that ended with an error and were tried anew.
        requests: Requests that were granted, by what they asked for.
        refused: Those that were answered with 400 or more, by status.
        bytes_sent: In bodies of requests.
        bytes_received: In bodies of answers, content included.
    """

    model_config = ConfigDict(frozen=True)

    enrolled: int = 0
    present: int = 0
    outcomes: Counter[str] = Field(default_factory=Counter)
    installed_twice: int = 0
    stumbles: int = 0
    requests: Counter[str] = Field(default_factory=Counter)
    refused: Counter[int] = Field(default_factory=Counter)
    bytes_sent: int = 0
    bytes_received: int = 0

    def __add__(self, other: "Standing") -> "Standing":
        names = type(self).model_fields
        return Standing(**{name: getattr(self, name) + getattr(other, name) for name in names})


def total(standings: Iterable[Standing]) -> Standing:
    """All of them together."""
    return reduce(Standing.__add__, standings, Standing())
