import sys
from pathlib import Path

import pytest

from tests.bench.frame.tools import TOOLS
from tests.bench.profile import report
from tests.bench.profiling.recording import record

_RATE = 100
_CHILD = "import time\ndef busy():\n    while time.process_time() < 2: pass\nbusy()\n"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not (TOOLS / ".ready").exists(), reason="`make bench` has not installed py-spy"),
]


def _program(folder: Path) -> list[str]:
    """One that does nothing but start another one, `busy.py`."""
    (folder / "busy.py").write_text(_CHILD, encoding="utf-8")
    start = f"import subprocess, sys; subprocess.run([sys.executable, {str(folder / 'busy.py')!r}], check=True)"
    return [sys.executable, "-c", start]


def test_a_process_that_the_program_starts_is_recorded_with_its_busiest_function(tmp_path: Path) -> None:
    (recording,) = record(_program(tmp_path), tmp_path, "busy.py", rate=_RATE)
    assert recording.label == "busy.py"
    words = list(report([recording]))
    assert words[0].startswith("busy.py: ")
    busiest = words[words.index("\nown time") + 1]
    assert busiest.endswith("busy.py:2)")
    assert " busy (" in busiest


def test_where_no_process_is_called_so_nothing_is_recorded(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="nothing was recorded of 0 processes called 'idle'"):
        record([sys.executable, "-c", ""], tmp_path, "idle", rate=_RATE)


def test_what_looks_into_the_process_is_there_before_that_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, seen = tmp_path / "begun", list[bool]()

    def installed(name: str) -> str:
        seen.append(begun.exists())
        return name

    monkeypatch.setattr("tests.bench.profiling.recording.tool", installed)
    with pytest.raises(RuntimeError):
        record([sys.executable, "-c", f"open({str(begun)!r}, 'w').close()"], tmp_path, "nobody", rate=_RATE)
    assert (seen, begun.exists()) == ([False], True)
