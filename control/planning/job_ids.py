"""Ids of jobs: UUIDs in the order of time, so that what is stored of jobs that were made together lies together.

With random ones each row of each job is on another page of each index by them: what a job costs would grow with the
number of jobs.
"""

from secrets import randbits
from time import time_ns
from typing import Final
from uuid import UUID

_NANOSECONDS: Final = 1_000_000
_VERSION: Final = 7
_VARIANT: Final = 0b10
_FRACTION_BITS: Final = 12
_RANDOM_BITS: Final = 62


def new_job_id() -> str:
    """The id of a new job; greater than those made before, as far as the machine's clock tells."""
    return str(ordered_uuid(time_ns(), randbits(_RANDOM_BITS)))


def ordered_uuid(nanoseconds: int, random: int) -> UUID:
    """A UUID of version 7, whose first 60 bits of value are the time (RFC 9562, 5.7 and 6.2, method 3).

    Args:
        nanoseconds: The time since 1970.
        random: The other 62 bits.
    """
    milliseconds, rest = divmod(nanoseconds, _NANOSECONDS)
    fraction = (rest << _FRACTION_BITS) // _NANOSECONDS
    high = (milliseconds << 4 | _VERSION) << _FRACTION_BITS | fraction
    return UUID(int=(high << 2 | _VARIANT) << _RANDOM_BITS | random)
