"""A fleet's script: the same seed makes the same fleet, and shares are what they say."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from deploy.simulation.script import DeviceScript, FleetScript

MANY = 1000


def parts(fleet: FleetScript) -> list[DeviceScript]:
    return [fleet.device(number) for number in range(1, fleet.devices + 1)]


def test_the_same_seed_makes_the_same_fleet_and_another_one_another() -> None:
    fleet = FleetScript(devices=50, seed=7, failing=0.3, install_seconds=(1, 9))
    assert parts(fleet) == parts(fleet.model_copy())
    assert parts(fleet) != parts(fleet.model_copy(update={"seed": 8}))


@settings(deadline=None, max_examples=30)
@given(share=st.floats(min_value=0, max_value=1), seed=st.integers())
def test_a_share_is_that_part_of_the_fleet(share: float, seed: int) -> None:
    fails = sum(device.fails for device in parts(FleetScript(devices=MANY, seed=seed, failing=share)))
    assert abs(fails / MANY - share) < 0.1


def test_one_share_that_changes_leaves_everything_else_as_it_was() -> None:
    calm = FleetScript(devices=200, flaky=0.2, install_seconds=(1, 9))
    rough = calm.model_copy(update={"failing": 0.5})
    for before, after in zip(parts(calm), parts(rough), strict=True):
        assert before == after.model_copy(update={"fails": before.fails})


def test_devices_appear_evenly_and_those_that_are_away_later() -> None:
    evenly = [device.starts_after_seconds for device in parts(FleetScript(devices=4, arrival_seconds=8))]
    assert evenly == [0, 2, 4, 6]
    away = parts(FleetScript(devices=MANY, away=0.5, away_seconds=60))
    assert {device.starts_after_seconds for device in away} == {0, 60}


def test_an_installer_fails_as_its_device_is_meant_to() -> None:
    device = FleetScript(devices=1).device(1)
    assert [device.exit_code_of(1, attempt) for attempt in (1, 2)] == [0, 0]
    flaky = device.model_copy(update={"is_flaky": True, "exit_code": 5})
    assert [flaky.exit_code_of(1, attempt) for attempt in (1, 2)] == [5, 0]
    failing = device.model_copy(update={"fails": True, "exit_code": 5, "only_revision": 2})
    assert [failing.exit_code_of(revision, 3) for revision in (1, 2, 3)] == [0, 5, 0]


@pytest.mark.parametrize("wrong", [{"devices": 0}, {"install_seconds": (3, 1)}, {"failing": 2}, {"name": "../x"}])
def test_a_script_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FleetScript.model_validate({"devices": 1} | wrong)
