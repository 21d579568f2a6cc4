"""Running a rule's script."""

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from worker.processes.launch import Launch, launch
from worker.processes.tree import end_tree

#: More than this of what a script prints is not read.
MAX_OUTPUT_BYTES = 1024 * 1024
_OWNER_ONLY = 0o700
#: PowerShell takes a file without a byte order mark for ANSI (behaviour 2.8).
_POWERSHELL_ENCODING = "utf-8-sig"


class ScriptFailedError(Exception):
    """A script could not be run, or ran too long."""


@dataclass(frozen=True)
class ScriptResult:
    """How a script ended and what it printed."""

    exit_code: int
    output: str
    errors: str


def run_script(
    content: str,
    *,
    interpreter: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    limit_seconds: float,
    inspect: Callable[[Path], None] | None = None,
) -> ScriptResult:
    """Run a script in a folder of its own that is removed afterwards.

    Args:
        content: The script's text.
        interpreter: The program and arguments that run it, the script's path coming last.
        folder: Where its own folder is made.
        environment: What it sees.
        limit_seconds: How long it may run.
        inspect: Looks at the file before it runs; what it raises, the caller gets.

    Raises:
        ScriptFailedError: It could not be started, or was still running after `limit_seconds` and was ended.
    """
    with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as name:
        script = _write(Path(name), content, interpreter[0])
        if inspect is not None:
            inspect(script)
        return _run(script, interpreter, environment, limit_seconds)


def _run(
    script: Path, interpreter: Sequence[str], environment: Mapping[str, str], limit_seconds: float
) -> ScriptResult:
    output, errors = script.with_name("output"), script.with_name("errors")
    try:
        process = launch(Launch([*interpreter, str(script)], script.parent, environment, output, errors))
    except OSError as error:
        raise ScriptFailedError(f"{interpreter[0]} could not be started: {error.strerror}") from error
    try:
        exit_code = process.wait(limit_seconds)
    except psutil.TimeoutExpired:
        end_tree(process)
        raise ScriptFailedError(f"it ran longer than {limit_seconds:g} s and was ended") from None
    return ScriptResult(int(exit_code or 0), _read(output), _read(errors))


def _write(folder: Path, content: str, program: str) -> Path:
    if Path(program).stem.lower() in {"powershell", "pwsh"}:
        script = folder / "script.ps1"
        script.write_text(content, encoding=_POWERSHELL_ENCODING)
    else:
        script = folder / "script"
        script.write_text(content, encoding="utf-8", newline="" if sys.platform != "win32" else None)
    script.chmod(_OWNER_ONLY)
    return script


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MAX_OUTPUT_BYTES).decode("utf-8", errors="replace")
