"""What every platform keeps to; run on each, Windows included, without a change.

A platform either says in words why it cannot answer a kind of rule, and refuses the reading behind it, or it answers.
"""

import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from contract.rules import (
    FileOperation,
    FileRule,
    PackageManager,
    PackageRule,
    ProcessRule,
    ProductCodeRule,
    RegistryRule,
    Rule,
    RunAsAccount,
    ScriptRule,
)
from worker.platform.port import Hive, Platform, RegistryKey, UnanswerableError, View

NOWHERE = f"no-such-{uuid4()}"
CODE = f"{{{uuid4()}}}".upper()

Reading = Callable[[Platform], object]


def _answer(platform: Platform, rule: Rule, read: Reading) -> object:
    """What the reading behind a rule answers; the rule's own words where there is none."""
    reason = platform.why_unanswerable(rule)
    if not reason:
        return read(platform)
    with pytest.raises(UnanswerableError):
        read(platform)
    return reason


def _own_name() -> str:
    return Path(sys.executable).name if sys.platform == "win32" else psutil.Process().name()


def test_the_facts_are_those_of_this_machine(platform: Platform) -> None:
    facts = platform.facts()
    assert facts.processors == os.cpu_count()
    assert facts.memory_in_mb > 0
    assert facts.free_disk_space_in_mb > 0
    assert facts.os_version
    assert facts.architecture in {"x64", "arm64", "x86", "arm"}
    assert facts.agent_version
    assert facts.time_zone == platform.time_zone()


def test_a_speed_is_a_number_of_mhz_or_not_told(platform: Platform) -> None:
    speed = platform.cpu_speed_in_mhz()
    assert speed is None or speed > 100


def test_who_is_logged_on_has_a_name(platform: Platform) -> None:
    assert all(session.user for session in platform.user_sessions())


def test_a_file_has_size_and_date_and_a_folder_no_size(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    facts, folder = platform.file_facts(file), platform.file_facts(tmp_path)
    assert facts is not None
    assert facts.size == 5
    assert facts.version is None
    assert abs(datetime.now(UTC) - facts.modified_at) < timedelta(minutes=1)
    assert folder is not None
    assert folder.size is None


def test_a_path_of_letters_beyond_ascii_is_read(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "Ünïcode 漢字"
    file.write_bytes(b"1")
    assert platform.file_facts(file) is not None


def test_what_is_not_there_has_no_facts(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert platform.file_facts(tmp_path / "missing") is None
    assert platform.file_facts(tmp_path / "missing" / "below") is None
    assert platform.file_facts(tmp_path / "file" / "below") is None


def test_a_creation_date_stays_where_the_modified_date_moves(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    os.utime(file, (1_000_000_000, 1_000_000_000))
    facts = platform.file_facts(file)
    assert facts is not None
    assert facts.modified_at == datetime.fromtimestamp(1_000_000_000, UTC)
    assert facts.created_at is None or abs(datetime.now(UTC) - facts.created_at) < timedelta(minutes=1)


def test_a_creation_date_is_answered_exactly_where_the_platform_keeps_one(platform: Platform, tmp_path: Path) -> None:
    facts = platform.file_facts(tmp_path)
    assert facts is not None
    rule = FileRule(path="/", file_or_folder_name="x", operation_type=FileOperation.CREATED_DATE)
    assert bool(platform.why_unanswerable(rule)) == (facts.created_at is None)


@pytest.mark.parametrize("view", View)
def test_variables_are_expanded_wherever_they_stand(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, view: View
) -> None:
    monkeypatch.setenv("FIRST", "/one")
    monkeypatch.setenv("SECOND", "two")
    assert platform.expand("%FIRST%/x%SECOND%", view) == "/one/xtwo"
    assert platform.expand("100% of it", view) == "100% of it"
    with pytest.raises(LookupError):
        platform.expand("%THIRD_IS_NOT_SET%", view)


@pytest.mark.behaviour("C-21")
def test_this_very_process_is_among_those_that_run(platform: Platform) -> None:
    assert platform.why_unanswerable(ProcessRule(process_name="x")) == ""
    assert _own_name() in platform.process_names()
    assert NOWHERE not in platform.process_names()


def test_whether_a_file_is_there_can_be_answered_everywhere(platform: Platform) -> None:
    assert platform.why_unanswerable(FileRule(path="/", file_or_folder_name="x")) == ""


@pytest.mark.parametrize("view", View)
def test_a_registry_key_that_is_not_there_is_absent(platform: Platform, view: View) -> None:
    rule, key = RegistryRule(key_path="HKLM"), RegistryKey(Hive.LOCAL_MACHINE, rf"SOFTWARE\{NOWHERE}", view)
    assert _answer(platform, rule, lambda asked: asked.has_registry_key(key)) in {
        False,
        platform.why_unanswerable(rule),
    }
    assert _answer(platform, rule, lambda asked: asked.registry_value(key, "x")) in {
        None,
        platform.why_unanswerable(rule),
    }


def test_a_product_that_is_not_installed_is_absent(platform: Platform) -> None:
    rule = ProductCodeRule(product_code=CODE)
    found = _answer(platform, rule, lambda asked: asked.product_version(CODE))
    assert found in {None, platform.why_unanswerable(rule)}


@pytest.mark.parametrize("manager", PackageManager)
def test_a_package_that_is_not_installed_is_absent(platform: Platform, manager: PackageManager) -> None:
    rule = PackageRule(package_name=NOWHERE, manager=manager)
    found = _answer(platform, rule, lambda asked: asked.packages(NOWHERE, manager))
    assert found in {(), platform.why_unanswerable(rule)}


def test_the_interpreter_of_scripts_is_one_that_is_there(platform: Platform) -> None:
    if not platform.why_unanswerable(ScriptRule(script_content="x")):
        assert shutil.which(platform.script_interpreter()[0])
    if not platform.why_unanswerable(ScriptRule(script_content="x", run_as32_bit=True)):
        assert shutil.which(platform.script_interpreter(View.BITS_32)[0])


def test_a_script_without_its_interpreter_is_not_answered(platform: Platform) -> None:
    assert NOWHERE in platform.why_unanswerable(ScriptRule(script_content="x", interpreter=(NOWHERE,)))


@pytest.mark.skipif(sys.platform == "win32", reason="on Windows this agent runs nothing in a user's name")
def test_a_script_of_the_users_is_answered(platform: Platform) -> None:
    assert not platform.why_unanswerable(ScriptRule(script_content="x", run_as_account=RunAsAccount.USER))


def test_a_script_without_a_signature_is_not_trusted(platform: Platform, tmp_path: Path) -> None:
    script = tmp_path / "script.ps1"
    script.write_text("'found'", encoding="utf-8")
    rule = ScriptRule(script_content="x", enforce_signature_check=True)
    assert _answer(platform, rule, lambda asked: asked.why_untrusted(script))
