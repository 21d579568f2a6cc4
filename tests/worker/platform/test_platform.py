"""The suite every platform passes, and what each knows beyond it."""

import os
import platform as system
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.rules import FileOperation, FileRule, RegistryRule, RunAsAccount, ScriptRule
from worker.platform.generic import GenericPlatform
from worker.platform.linux import LinuxPlatform
from worker.platform.port import Platform
from worker.platform.select import this_platform


@pytest.fixture(params=["generic", "linux"])
def platform(request: pytest.FixtureRequest, tmp_path: Path) -> Platform:
    if request.param == "linux":
        return LinuxPlatform(tmp_path)
    return GenericPlatform("other", tmp_path)


def test_the_facts_are_those_of_this_machine(platform: Platform) -> None:
    facts = platform.facts()
    assert facts.processors == os.cpu_count()
    assert facts.memory_in_mb > 0
    assert facts.free_disk_space_in_mb > 0
    assert facts.os_version
    assert facts.architecture in {"x64", "arm64", "x86", "arm"}
    assert facts.agent_version


def test_a_speed_is_a_number_of_mhz_or_not_told(platform: Platform) -> None:
    speed = platform.cpu_speed_in_mhz()
    assert speed is None or speed > 100


def test_a_file_has_size_and_date_and_a_folder_no_size(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    facts, folder = platform.file_facts(file), platform.file_facts(tmp_path)
    assert facts is not None
    assert facts.size == 5
    assert abs(datetime.now(UTC) - facts.modified_at) < timedelta(minutes=1)
    assert folder is not None
    assert folder.size is None


def test_what_is_not_there_has_no_facts(platform: Platform, tmp_path: Path) -> None:
    assert platform.file_facts(tmp_path / "missing") is None
    assert platform.file_facts(tmp_path / "missing" / "below") is None


def test_variables_are_expanded_wherever_they_stand(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST", "/one")
    monkeypatch.setenv("SECOND", "two")
    assert platform.expand("%FIRST%/x%SECOND%") == "/one/xtwo"
    assert platform.expand("100% of it") == "100% of it"
    with pytest.raises(LookupError):
        platform.expand("%THIRD_IS_NOT_SET%")


def test_file_and_script_rules_can_be_answered(platform: Platform) -> None:
    assert platform.why_unanswerable(FileRule(path="/", file_or_folder_name="x")) == ""
    assert platform.why_unanswerable(ScriptRule(script_content="true")) == ""


def test_what_cannot_be_answered_is_said_in_words(platform: Platform) -> None:
    rules = (
        RegistryRule(key_path="HKLM"),
        FileRule(path="/", file_or_folder_name="x", operation_type=FileOperation.VERSION),
        ScriptRule(script_content="true", run_as_account=RunAsAccount.USER),
        ScriptRule(script_content="true", interpreter=("no-such-program",)),
    )
    assert all(platform.why_unanswerable(rule) for rule in rules)


def test_a_creation_date_is_answered_exactly_where_the_platform_keeps_one(platform: Platform, tmp_path: Path) -> None:
    facts = platform.file_facts(tmp_path)
    assert facts is not None
    rule = FileRule(path="/", file_or_folder_name="x", operation_type=FileOperation.CREATED_DATE)
    assert bool(platform.why_unanswerable(rule)) == (facts.created_at is None)


@pytest.mark.skipif(system.system() != "Linux", reason="about Linux")
def test_linux_is_known_by_its_distributions_release(tmp_path: Path) -> None:
    facts = this_platform(tmp_path).facts()
    assert facts.os_name == "linux"
    assert facts.os_version == system.freedesktop_os_release().get("VERSION_ID", system.release())
