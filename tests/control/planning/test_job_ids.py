"""Ids of jobs are in the order of time."""

import re
from datetime import timedelta
from time import time
from typing import Final
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from contract.jobs import ID_PATTERN
from control.planning.job_ids import new_job_id, ordered_uuid

#: The example of RFC 9562, A.6; of its time within a millisecond the standard gives the twelve bits, 0xCC3.
_EXAMPLE: Final = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
_EXAMPLE_NANOSECONDS: Final = 0x017F22E279B0 * 1_000_000 + 797_608
_EXAMPLE_RANDOM: Final = 0x18C4DC0C0C07398F

#: A 4,096th of a millisecond, the least that makes a difference, rounded up.
_STEP_NANOSECONDS: Final = 245
_MOMENTS = st.integers(0, (1 << 48) * 1_000_000 - 1 - _STEP_NANOSECONDS)
_RANDOMS = st.integers(0, (1 << 62) - 1)


def test_an_id_is_laid_out_as_the_standard_has_it() -> None:
    assert str(ordered_uuid(_EXAMPLE_NANOSECONDS, _EXAMPLE_RANDOM)) == _EXAMPLE


@given(_MOMENTS, _RANDOMS)
def test_each_moment_has_an_id_of_version_7(moment: int, random: int) -> None:
    made = ordered_uuid(moment, random)
    assert (made.version, made.variant) == (7, RFC_4122)


@given(_MOMENTS, _RANDOMS, _RANDOMS)
def test_what_is_made_later_is_greater_whatever_chance_adds(moment: int, random: int, other: int) -> None:
    assert str(ordered_uuid(moment, random)) < str(ordered_uuid(moment + _STEP_NANOSECONDS, other))


def test_new_ids_are_of_now_and_all_different() -> None:
    ids = [new_job_id() for _ in range(1000)]
    assert len(set(ids)) == len(ids)
    assert all(re.match(ID_PATTERN, one) for one in ids)
    assert all(abs((UUID(one).int >> 80) / 1000 - time()) < timedelta(days=1).total_seconds() for one in ids)
