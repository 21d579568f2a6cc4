"""Every fault of `make faults`: a short run of most, and the long run of all."""

from collections.abc import Iterator

import pytest

from tests.faults.all_faults import FAULTS
from tests.faults.ground import ALL_KILLS, QUICK_KILLS, Fault, Ground, ground

pytestmark = [pytest.mark.integration, pytest.mark.faults]

_QUICK_SECONDS = 240
_LONG_SECONDS = 4 * 3600


@pytest.fixture(scope="module")
def quick_ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with ground(tmp_path_factory.mktemp("faults"), quick=True, kills=QUICK_KILLS) as tried:
        yield tried


@pytest.fixture(scope="module")
def long_ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with ground(tmp_path_factory.mktemp("faults-long"), quick=False, kills=ALL_KILLS) as tried:
        yield tried


_QUICK = [pytest.param(fault, id=fault.name, marks=[pytest.mark.long] if fault.is_long else []) for fault in FAULTS]


def _as_it_has_to_be(fault: Fault, tried: Ground) -> None:
    if reason := fault.why_not():
        pytest.skip(reason)
    row = fault.run(tried)
    assert row.is_good, row
    assert row.injected


@pytest.mark.timeout(_QUICK_SECONDS)
@pytest.mark.parametrize("fault", _QUICK)
def test_nothing_is_lost_or_installed_twice(quick_ground: Ground, fault: Fault) -> None:
    _as_it_has_to_be(fault, quick_ground)


@pytest.mark.long
@pytest.mark.timeout(_LONG_SECONDS)
@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault.name) for fault in FAULTS])
def test_nothing_is_lost_or_installed_twice_at_length(long_ground: Ground, fault: Fault) -> None:
    _as_it_has_to_be(fault, long_ground)
