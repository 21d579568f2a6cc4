"""Run on Windows only: what this Windows really has is read."""

import sys

assert sys.platform == "win32"

import os
import uuid
import winreg
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.rules import ScriptRule
from worker.platform.port import Hive, RegistryKey, View
from worker.platform.windows import WindowsPlatform
from worker.platform.windows_powershell import is_of_wine, powershell
from worker.platform.windows_trust import why_untrusted

_FLAGS = {View.NATIVE: winreg.KEY_WOW64_64KEY, View.BITS_32: winreg.KEY_WOW64_32KEY}


@pytest.fixture
def windows(tmp_path: Path) -> WindowsPlatform:
    return WindowsPlatform(tmp_path)


@pytest.fixture(params=View)
def key(request: pytest.FixtureRequest) -> Iterator[RegistryKey]:
    """A key with a value of each kind, in one view only."""
    path, flag = f"SOFTWARE\\Test-{uuid.uuid4()}", _FLAGS[request.param]
    values = {
        "text": (winreg.REG_SZ, "Ünï"),
        "expandable": (winreg.REG_EXPAND_SZ, "%PATH%"),
        "number": (winreg.REG_DWORD, 0xFFFF_FFFF),
        "long": (winreg.REG_QWORD, 1 << 40),
        "list": (winreg.REG_MULTI_SZ, ["one", "two"]),
        "bytes": (winreg.REG_BINARY, b"\x00\x01"),
        "": (winreg.REG_SZ, "unnamed"),
    }
    with winreg.CreateKeyEx(winreg.HKEY_LOCAL_MACHINE, path, access=winreg.KEY_ALL_ACCESS | flag) as made:
        for name, (kind, value) in values.items():
            winreg.SetValueEx(made, name, 0, kind, value)
    yield RegistryKey(Hive.LOCAL_MACHINE, path, request.param)
    winreg.DeleteKeyEx(winreg.HKEY_LOCAL_MACHINE, path, access=winreg.KEY_ALL_ACCESS | flag)


@pytest.mark.behaviour("2.8 registry string", "2.8 registry integer")
def test_each_kind_of_value_is_read_as_it_is(windows: WindowsPlatform, key: RegistryKey) -> None:
    assert windows.has_registry_key(key)
    read = {name: windows.registry_value(key, name) for name in ("text", "expandable", "number", "long", "list", "")}
    assert read == {
        "text": "Ünï",
        "expandable": "%PATH%",
        "number": 0xFFFF_FFFF,
        "long": 1 << 40,
        "list": ("one", "two"),
        "": "unnamed",
    }
    assert windows.registry_value(key, "bytes") == b"\x00\x01"
    assert windows.registry_value(key, "missing") is None


@pytest.mark.behaviour("2.8 registry view")
def test_a_key_of_one_view_is_not_there_in_the_other(windows: WindowsPlatform, key: RegistryKey) -> None:
    other = next(view for view in View if view is not key.view)
    assert not windows.has_registry_key(RegistryKey(key.hive, key.path, other))


@pytest.mark.behaviour("2.8 file version")
def test_a_program_has_the_version_of_its_resource(windows: WindowsPlatform) -> None:
    facts = windows.file_facts(Path(sys.executable))
    assert facts is not None
    assert facts.version is not None
    assert facts.version.startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    assert facts.version.count(".") == 3


@pytest.mark.behaviour("2.8 check32BitOn64System")
def test_program_files_are_those_of_the_view(windows: WindowsPlatform) -> None:
    assert windows.expand("%ProgramFiles%\\x") == f"{os.environ['PROGRAMW6432']}\\x"
    assert windows.expand("%programfiles%", View.BITS_32) == os.environ["PROGRAMFILES(X86)"]
    assert windows.expand("%SystemRoot%", View.BITS_32) == os.environ["SYSTEMROOT"]


def test_the_facts_are_those_of_a_windows(windows: WindowsPlatform) -> None:
    facts = windows.facts()
    assert facts.os_name == "windows"
    assert [int(number) for number in facts.os_version.split(".")] >= [10, 0, 10000]
    assert "/" in facts.time_zone or facts.time_zone == "UTC"


def test_wines_powershell_is_not_taken_for_one(windows: WindowsPlatform) -> None:
    program = Path(os.environ["SYSTEMROOT"]) / "System32" / "WindowsPowerShell" / "v1.0" / "powershell.exe"
    if not (program.is_file() and is_of_wine(program)):
        pytest.skip("this Windows is not Wine")
    assert powershell(View.NATIVE) is None
    assert "PowerShell" in windows.why_unanswerable(ScriptRule(script_content="'found'"))
    assert windows.why_unanswerable(ScriptRule(script_content="x", interpreter=(sys.executable,))) == ""


def test_a_file_without_a_signature_is_not_trusted(tmp_path: Path) -> None:
    file = tmp_path / "script.ps1"
    file.write_text("'found'", encoding="utf-8")
    assert why_untrusted(file)
