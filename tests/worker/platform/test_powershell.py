import sys
from pathlib import Path

import pytest

from worker.platform.port import View
from worker.platform.windows_powershell import powershell

DOS_HEADER = b"MZ".ljust(0x40, b"\0")


@pytest.fixture
def windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a Windows without any PowerShell."""
    monkeypatch.setenv("SYSTEMROOT", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    return tmp_path


def _put(windows: Path, folder: str, after_header: bytes) -> Path:
    program = windows / folder / "WindowsPowerShell" / "v1.0" / "powershell.exe"
    program.parent.mkdir(parents=True)
    program.write_bytes(DOS_HEADER + after_header)
    return program


@pytest.mark.parametrize(("view", "folder"), [(View.NATIVE, "System32"), (View.BITS_32, "SysWOW64")])
def test_each_view_has_its_own(windows: Path, view: View, folder: str) -> None:
    program = _put(windows, folder, b"\x0e\x1f\xba\x0e This program cannot be run in DOS mode.")
    command = powershell(view)
    assert command is not None
    assert command[0] == str(program)
    assert command[-1] == "-File"
    assert powershell(next(other for other in View if other is not view)) is None


@pytest.mark.parametrize("mark", [b"Wine builtin DLL", b"Wine placeholder DLL"])
def test_one_of_wine_that_always_ends_well_is_not_taken(windows: Path, mark: bytes) -> None:
    _put(windows, "System32", mark + bytes(32))
    assert powershell(View.NATIVE) is None


def test_a_file_that_is_no_program_at_all_is_no_reason_to_fail(windows: Path) -> None:
    program = _put(windows, "System32", b"")
    program.write_bytes(b"")
    assert powershell(View.NATIVE) is not None


def test_powershell_7_is_taken_where_windows_has_none(windows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = windows / "bin" / ("pwsh.exe" if sys.platform == "win32" else "pwsh")
    program.parent.mkdir()
    program.write_bytes(DOS_HEADER + bytes(64))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    command = powershell(View.NATIVE)
    assert command is not None
    assert Path(command[0]) == program
    assert powershell(View.BITS_32) is None
