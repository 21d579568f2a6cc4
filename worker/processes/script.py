"""Running a rule's script."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from worker.processes.account import Account
from worker.processes.launch import Launch, launch
from worker.processes.tree import end_tree

#: More than this of what a script prints is not read.
MAX_OUTPUT_BYTES = 1024 * 1024
_OWNER_ONLY = 0o700
_GROUP_READS = 0o750
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
    account: Account | None = None,
) -> ScriptResult:
    """Run a script in a folder of its own that is removed afterwards.

    Args:
        content: The script's text.
        interpreter: The program and arguments that run it, the script's path coming last.
        folder: Where its own folder is made.
        environment: What it sees.
        limit_seconds: How long it may run.
        inspect: Looks at the file before it runs; what it raises, the caller gets.
        account: Under whose name it runs; the agent's own where None.

    Raises:
        ScriptFailedError: It could not be started, or was still running after `limit_seconds` and was ended.
    """
    with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as name:
        own = Path(name)
        with _folder_for(account, own) as open_to_it:
            script = _write(open_to_it, content, interpreter[0])
            if inspect is not None:
                inspect(script)
            _let_read(script, account)
            command = [*interpreter, str(script)]
            what = Launch(command, open_to_it, environment, own / "output", own / "errors", account)
            return _run(what, limit_seconds)


@contextmanager
def _folder_for(account: Account | None, own: Path) -> Iterator[Path]:
    """Where the script lies: the agent's folders are closed to others."""
    if account is None or account.is_own:
        yield own
        return
    with tempfile.TemporaryDirectory(prefix="outrider-script-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def _let_read(script: Path, account: Account | None) -> None:
    """The account's group may read the script and its folder, and change nothing there."""
    if sys.platform == "win32" or account is None or account.is_own:
        return
    for path in (script, script.parent):
        os.chown(path, -1, account.gid)
        path.chmod(_GROUP_READS)


def _run(what: Launch, limit_seconds: float) -> ScriptResult:
    try:
        process = launch(what)
    except OSError as error:
        raise ScriptFailedError(f"{what.command[0]} could not be started: {error.strerror}") from error
    try:
        exit_code = process.wait(limit_seconds)
    except psutil.TimeoutExpired:
        end_tree(process)
        raise ScriptFailedError(f"it ran longer than {limit_seconds:g} s and was ended") from None
    return ScriptResult(int(exit_code or 0), _read(what.output), _read(what.errors or what.output))


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
