"""What only Linux answers, checked against its own tools."""

import platform as system
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.rules import PackageManager, PackageRule
from worker.platform import linux_packages
from worker.platform.linux import LinuxPlatform, dmi_text
from worker.platform.linux_birth_time import birth_time
from worker.platform.linux_packages import available_managers, installed_packages
from worker.platform.port import PackageFacts
from worker.platform.select import this_platform

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="about Linux")

needs_dpkg = pytest.mark.skipif(
    sys.platform != "linux" or PackageManager.DPKG not in available_managers(PackageManager.ANY),
    reason="this machine has no dpkg",
)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dpkg-query of the test's own, the only package manager there is; the test writes its text."""
    monkeypatch.setitem(linux_packages._ENVIRONMENT, "PATH", f"{tmp_path}:/usr/bin:/bin")
    program = tmp_path / "dpkg-query"
    program.touch(0o755)
    return program


def _query(program: Path, script: str) -> tuple[PackageFacts, ...]:
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    return installed_packages("editor", [PackageManager.DPKG])


def test_linux_is_known_by_its_distributions_release(tmp_path: Path) -> None:
    facts = this_platform(tmp_path).facts()
    assert facts.os_name == "linux"
    assert facts.os_version == system.freedesktop_os_release().get("VERSION_ID", system.release())


@pytest.mark.behaviour("2.8 file date")
def test_a_creation_date_is_the_one_stat_prints(tmp_path: Path) -> None:
    said = subprocess.run(["stat", "--format=%W", tmp_path], check=True, capture_output=True, text=True).stdout
    born = birth_time(tmp_path)
    assert int(said) == (0 if born is None else int(born.timestamp()))


def test_a_creation_date_follows_links(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("/etc")
    assert birth_time(link) == birth_time(Path("/etc"))
    with pytest.raises(FileNotFoundError):
        birth_time(tmp_path / "missing")


def test_a_file_system_without_creation_dates_has_none() -> None:
    assert birth_time(Path("/proc/self/status")) is None


@needs_dpkg
def test_dpkg_itself_is_installed_as_it_says(tmp_path: Path) -> None:
    command = ["dpkg-query", "-W", "-f", "${Version}", "dpkg"]
    version = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    platform = LinuxPlatform(tmp_path)
    assert PackageFacts(PackageManager.DPKG, version) in platform.packages("dpkg", PackageManager.ANY)
    assert platform.packages("dpkg", PackageManager.DPKG) == (PackageFacts(PackageManager.DPKG, version),)


def test_a_package_that_left_its_settings_behind_is_not_installed(stand_in: Path) -> None:
    assert _query(stand_in, "echo 'config-files 1.0'") == ()
    assert _query(stand_in, "echo 'installed 1.0'; echo 'installed 1.1'") == (
        PackageFacts(PackageManager.DPKG, "1.0"),
        PackageFacts(PackageManager.DPKG, "1.1"),
    )


@pytest.mark.parametrize(
    "script", ["echo broken >&2; exit 2", "echo 'error: cannot open Packages database' >&2; exit 1", "kill -9 $$"]
)
def test_a_manager_that_fails_is_not_one_that_finds_nothing(stand_in: Path, script: str) -> None:
    with pytest.raises(OSError, match="dpkg-query ended with"):
        _query(stand_in, script)


def test_a_manager_that_hangs_is_given_up(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linux_packages, "_LIMIT_SECONDS", 0.1)
    with pytest.raises(TimeoutError):
        _query(stand_in, "exec sleep 60")


def test_a_machine_without_the_manager_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(linux_packages._ENVIRONMENT, "PATH", str(tmp_path))
    platform = LinuxPlatform(tmp_path)
    assert platform.why_unanswerable(PackageRule(package_name="x")) == "there is neither dpkg nor rpm"
    rule = PackageRule(package_name="x", manager=PackageManager.RPM)
    assert platform.why_unanswerable(rule) == "there is no rpm"


def test_times_are_in_utc(tmp_path: Path) -> None:
    facts = LinuxPlatform(tmp_path).file_facts(tmp_path)
    assert facts is not None
    assert facts.modified_at.tzinfo is UTC
    assert facts.created_at is None or facts.created_at <= datetime.now(UTC)


def test_what_the_firmware_says_is_trimmed_and_bounded(tmp_path: Path) -> None:
    (tmp_path / "sys_vendor").write_text("  Example Works \n", encoding="utf-8")
    (tmp_path / "product_name").write_bytes(b"\xff" + b"x" * 500)
    assert dmi_text("sys_vendor", tmp_path) == "Example Works"
    assert len(dmi_text("product_name", tmp_path)) == 200
    assert dmi_text("nothing", tmp_path) == ""
