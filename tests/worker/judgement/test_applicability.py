from datetime import UTC, datetime
from typing import Any

import pytest

from contract.errors import PhaseError
from contract.policy import Commands, ContentRef, InstallExperience, Policy, Requirements
from contract.rules import FileRule, RunAsAccount
from contract.states import Applicability, Intent
from contract.uplink import DeviceFacts
from worker.judgement.applicability import first_unmet

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


def _policy(*, account: RunAsAccount = RunAsAccount.SYSTEM, **requirements: Any) -> Policy:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    content = ContentRef(
        digest="0" * 64, size=0, plain_size=0, plain_digest=b"", mac=b"", mac_key=b"", initialization_vector=b""
    )
    return Policy(
        app_id="editor",
        app_name="Editor",
        revision=1,
        intent=Intent.REQUIRED,
        commands=Commands(install="i", uninstall="u"),
        detection_rules=(FileRule(path="/", file_or_folder_name="x"),),
        requirements=Requirements(**requirements),
        install_experience=InstallExperience(run_as_account=account),
        content=content,
        issued_at=moment,
        expires_at=moment,
    )


@pytest.mark.parametrize(
    ("required", "number", "words"),
    [
        ({"operating_systems": {"windows"}}, 3, "operating system linux, expected windows"),
        ({"architectures": {"arm64", "arm"}}, 1000, "architecture x64, expected arm or arm64"),
        ({"minimum_free_disk_space_in_mb": 1001}, 1001, "1000 MiB of free disk space, expected at least 1001"),
        ({"minimum_os_release": "12.10"}, 1002, "release 12.4, expected at least 12.10"),
        ({"minimum_memory_in_mb": 4096}, 1003, "2048 MiB of memory, expected at least 4096"),
        ({"minimum_number_of_processors": 4}, 1004, "2 logical processors, expected at least 4"),
        ({"minimum_cpu_speed_in_mhz": 3000}, 1005, "2400 MHz, expected at least 3000"),
    ],
)
def test_each_unmet_requirement_has_its_number_and_the_compared_values(
    required: dict[str, Any], number: int, words: str
) -> None:
    unmet = first_unmet(_policy(**required), FACTS, 2400)
    assert unmet is not None
    assert unmet.number is Applicability(number)
    assert unmet.words == words


def test_what_is_just_enough_is_enough() -> None:
    policy = _policy(
        operating_systems={"linux", "windows"},
        architectures={"x64"},
        minimum_os_release="12.4.0",
        minimum_free_disk_space_in_mb=1000,
        minimum_memory_in_mb=2048,
        minimum_number_of_processors=2,
        minimum_cpu_speed_in_mhz=2400,
    )
    assert first_unmet(policy, FACTS, 2400) is None


def test_no_requirement_means_any_device() -> None:
    assert first_unmet(_policy(), FACTS, 2400) is None


def test_a_user_context_app_is_not_run_in_the_devices_name() -> None:
    unmet = first_unmet(_policy(account=RunAsAccount.USER), FACTS, 2400)
    assert unmet is not None
    assert unmet.number is Applicability.USER_CONTEXT_UNSUPPORTED


def test_a_release_that_is_no_version_is_an_error() -> None:
    with pytest.raises(PhaseError):
        first_unmet(_policy(minimum_os_release="bookworm"), FACTS, 2400)


def test_a_speed_the_device_does_not_tell_is_not_taken_for_enough() -> None:
    unmet = first_unmet(_policy(minimum_cpu_speed_in_mhz=1), FACTS, None)
    assert unmet is not None
    assert unmet.number is Applicability.HOST_PLATFORM_NOT_APPLICABLE
    assert first_unmet(_policy(), FACTS, None) is None
