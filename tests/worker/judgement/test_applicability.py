from typing import Any

import pytest

from contract.error_codes import ErrorCode
from contract.errors import PhaseError
from contract.policy import Requirements
from contract.rules import RunAsAccount
from contract.states import Applicability
from contract.uplink import DeviceFacts
from worker.judgement.applicability import Candidate, Unmet, conditions, first_unmet

FACTS = DeviceFacts(
    hostname="desk-1",
    os_name="linux",
    os_version="12.4",
    architecture="x64",
    agent_version="1",
    processors=2,
    memory_in_mb=2048,
    free_disk_space_in_mb=1000,
)


def _unmet(
    *,
    account: RunAsAccount = RunAsAccount.SYSTEM,
    speed: int | None = 2400,
    why_no_user_context: str = "",
    **required: Any,
) -> Unmet | None:
    return first_unmet(Requirements(**required), account, Candidate(FACTS, speed, why_no_user_context))


@pytest.mark.behaviour("B-34", "B-37")
@pytest.mark.parametrize(
    ("required", "number", "words"),
    [
        pytest.param(required, number, words, marks=pytest.mark.behaviour(f"2.5 Applicability {number}"))
        for required, number, words in (
            ({"operating_systems": {"windows"}}, 3, "operating system: linux, expected windows"),
            ({"architectures": {"arm64", "arm"}}, 1000, "architecture: x64, expected arm or arm64"),
            ({"minimum_free_disk_space_in_mb": 1001}, 1001, "free disk space in MiB: 1000, expected at least 1001"),
            ({"minimum_os_release": "12.10"}, 1002, "release of the operating system: 12.4, expected at least 12.10"),
            ({"minimum_memory_in_mb": 4096}, 1003, "memory in MiB: 2048, expected at least 4096"),
            ({"minimum_number_of_processors": 4}, 1004, "logical processors: 2, expected at least 4"),
            ({"minimum_cpu_speed_in_mhz": 3000}, 1005, "processor speed in MHz: 2400, expected at least 3000"),
        )
    ],
)
def test_each_unmet_requirement_has_its_number_and_the_compared_values(
    required: dict[str, Any], number: int, words: str
) -> None:
    assert _unmet(**required) == Unmet(Applicability(number), words)


@pytest.mark.behaviour("2.5 Applicability 0")
def test_what_is_just_enough_is_enough() -> None:
    required = Requirements(
        operating_systems={"linux", "windows"},
        architectures={"x64"},
        minimum_os_release="12.4.0",
        minimum_free_disk_space_in_mb=1000,
        minimum_memory_in_mb=2048,
        minimum_number_of_processors=2,
        minimum_cpu_speed_in_mhz=2400,
    )
    candidate = Candidate(FACTS, 2400)
    assert first_unmet(required, RunAsAccount.SYSTEM, candidate) is None
    assert len(list(conditions(required, RunAsAccount.SYSTEM, candidate))) == 7


def test_no_requirement_means_any_device() -> None:
    assert _unmet() is None


@pytest.mark.behaviour("2.5 Applicability 1011", "2.8 user-context app assigned to devices")
def test_a_user_context_app_is_refused_where_the_agent_cannot_act_for_users() -> None:
    unable = Candidate(FACTS, 2400, "this agent runs commands in its own name only")
    unmet = first_unmet(Requirements(), RunAsAccount.USER, unable)
    assert unmet is not None
    assert unmet.number is Applicability.USER_CONTEXT_UNSUPPORTED
    assert "own name only" in unmet.words
    assert first_unmet(Requirements(), RunAsAccount.USER, Candidate(FACTS, 2400)) is None
    assert first_unmet(Requirements(), RunAsAccount.SYSTEM, unable) is None


@pytest.mark.behaviour("B-36")
def test_a_release_that_is_no_version_is_an_error() -> None:
    with pytest.raises(PhaseError) as caught:
        _unmet(minimum_os_release="bookworm")
    assert caught.value.code is ErrorCode.RULE_EVALUATION_FAILED
    assert "'bookworm'" in str(caught.value)


@pytest.mark.behaviour("2.5 Applicability 3")
def test_a_speed_the_device_does_not_tell_is_not_taken_for_enough() -> None:
    unmet = _unmet(speed=None, minimum_cpu_speed_in_mhz=1)
    assert unmet is not None
    assert unmet.number is Applicability.HOST_PLATFORM_NOT_APPLICABLE
    assert _unmet(speed=None) is None
