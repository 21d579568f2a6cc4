"""What a rollout would come to: arithmetic, and which devices an app is not for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.policy import Requirements
from contract.states import Applicability
from control.filters.evaluate import Facts
from control.filters.properties import Property
from control.rollouts.forecast import ForecastDevice, forecast, waves, whole_time
from control.rollouts.limits import Place, admissible
from control.rollouts.spec import ConcurrencyLimits, RolloutSpec
from control.rollouts.suitability import Unmet, first_unmet

DESK: Facts = {
    Property.OPERATING_SYSTEM: "linux",
    Property.ARCHITECTURE: "x64",
    Property.OPERATING_SYSTEM_VERSION: "12.4",
    Property.FREE_DISK_SPACE: "10000",
    Property.MEMORY: "2048",
    Property.PROCESSORS: "2",
}
UNMET = Unmet(Applicability.MEMORY_NOT_MET, "")
TWO = RolloutSpec.model_validate({"rings": [{"name": "a", "percent": 50, "soak_seconds": 60}, {"name": "b"}]})


def _devices(*rings: int, unmet: Unmet | None = None) -> list[ForecastDevice]:
    return [ForecastDevice(str(number), ring, Place(str(number)), True, unmet) for number, ring in enumerate(rings)]


def test_each_ring_takes_as_long_as_a_device_and_its_soak() -> None:
    first, second = forecast(TWO, _devices(0, 0, 1), bytes_each=10, durations=[1, 2, 9])
    assert (len(first.devices), first.bytes, first.seconds) == (2, 20, 62)
    assert (len(second.devices), second.bytes, second.seconds) == (1, 10, 2)
    assert whole_time((first, second)) == 64


def test_devices_that_the_app_is_not_for_fetch_nothing_and_take_no_time() -> None:
    first, _ = forecast(TWO, _devices(0, 0, unmet=UNMET), bytes_each=10, durations=[5])
    assert (len(first.devices), first.bytes, first.seconds) == (2, 0, 60)


def test_a_ring_of_nobody_does_not_soak() -> None:
    first, _ = forecast(TWO, _devices(1), bytes_each=10, durations=[5])
    assert first.seconds == 0


def test_without_a_history_nobody_knows_how_long() -> None:
    rings = forecast(TWO, _devices(0, 1), bytes_each=10, durations=[])
    assert [ring.seconds for ring in rings] == [None, None]
    assert whole_time(rings) is None


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, 1),
        ({"rollout": 4}, 3),
        ({"rollout": 5, "each_site": 3}, 4),
        ({"sites": {"lima": 1}}, 1),
        ({"groups": {"lab": 2}}, 2),
    ],
)
def test_limits_make_waves(limits: dict[str, Any], expected: int) -> None:
    places = [Place(str(number), "berlin", frozenset({"lab"} if number < 3 else ())) for number in range(10)]
    assert waves(places, ConcurrencyLimits.model_validate(limits)) == expected


@given(
    st.lists(st.sampled_from([None, "berlin", "lima"]), max_size=30),
    st.none() | st.integers(1, 8),
    st.none() | st.integers(1, 8),
)
def test_it_never_takes_fewer_waves_than_said(sites: list[str | None], rollout: int | None, each: int | None) -> None:
    limits = ConcurrencyLimits(rollout=rollout, each_site=each)
    left = [Place(str(number), site) for number, site in enumerate(sites)]
    expected, needed = waves(left, limits), 0
    while left:
        begun = set(admissible(left, (), limits))
        left = [place for place in left if place.device_id not in begun]
        needed += 1
    assert expected <= needed


@pytest.mark.parametrize(
    ("required", "expected"),
    [
        ({}, None),
        ({"operating_systems": ["linux", "windows"], "architectures": ["x64"]}, None),
        ({"operating_systems": ["windows"]}, Applicability.HOST_PLATFORM_NOT_APPLICABLE),
        ({"architectures": ["arm64"]}, Applicability.PROCESSOR_ARCHITECTURE_NOT_APPLICABLE),
        ({"minimum_os_release": "12.4.0"}, None),
        ({"minimum_os_release": "12.10"}, Applicability.OS_VERSION_NOT_MET),
        ({"minimum_free_disk_space_in_mb": 10_001}, Applicability.FREE_DISK_SPACE_NOT_MET),
        ({"minimum_memory_in_mb": 4096}, Applicability.MEMORY_NOT_MET),
        ({"minimum_number_of_processors": 4}, Applicability.LOGICAL_PROCESSORS_NOT_MET),
        # The first that is not met is the one a device reports.
        (
            {"minimum_memory_in_mb": 4096, "architectures": ["arm64"]},
            Applicability.PROCESSOR_ARCHITECTURE_NOT_APPLICABLE,
        ),
    ],
)
def test_a_device_is_judged_by_what_it_said_of_itself(required: dict[str, Any], expected: Applicability | None) -> None:
    unmet = first_unmet(Requirements.model_validate(required), DESK)
    assert (None if unmet is None else unmet.applicability) is expected


def test_what_was_compared_is_said() -> None:
    unmet = first_unmet(Requirements(minimum_memory_in_mb=4096), DESK)
    assert unmet is not None
    assert unmet.words == 'expected device.memoryInMB -ge "4096", found 2048'


def test_what_a_device_does_not_tell_is_not_taken_for_enough() -> None:
    unmet = first_unmet(Requirements(minimum_memory_in_mb=1), {})
    assert unmet is not None
    assert unmet.words.endswith("found nothing")
