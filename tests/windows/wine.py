"""Wine: a Windows of its own in a folder, with its own registry and its own processes."""

import os
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: What the tests here need, by the package of Debian that has it.
TOOLS = {
    "wine": "wine",
    "wineserver": "wine",
    "wineboot": "wine",
    "wixl": "wixl",
    "makensis": "nsis",
    "x86_64-w64-mingw32-ld": "binutils-mingw-w64-x86-64",
}
_START_SECONDS = 120
#: How long a program may run whose length nobody cares about.
RUN_SECONDS = 60
_NOTHING: Mapping[str, str] = {}


def why_no_wine() -> str:
    """What to install to run these tests; empty where everything is there."""
    missing = sorted({package for tool, package in TOOLS.items() if shutil.which(tool) is None})
    return f"for a Windows under Wine install: {' '.join(missing)}" if missing else ""


@dataclass(frozen=True)
class Wine:
    """One Windows.

    Attributes:
        folder: The Wine prefix.
        variables: What every program in it sees besides what Windows sets.
    """

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def drive_c(self) -> Path:
        """Its `C:\\`."""
        return self.folder / "drive_c"

    def start(self, log: Path, *command: str) -> subprocess.Popen[bytes]:
        """Start a Windows program; what it prints is added to the log."""
        process = self._open(command, subprocess.STDOUT, {})
        threading.Thread(target=_copy, args=(process, log), daemon=True).start()
        return process

    def run(
        self, *command: str, variables: Mapping[str, str] = _NOTHING, seconds: float = RUN_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Run a Windows program to its end.

        Args:
            command: The program and its arguments.
            variables: Added to its environment.
            seconds: How long it may take.
        """
        process = self._open(command, subprocess.PIPE, variables)
        try:
            output, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
            raise AssertionError(f"{command} took too long:\n{_text(output)}{_text(errors)}") from None
        return subprocess.CompletedProcess(command, process.returncode, _text(output), _text(errors))

    def boot(self) -> None:
        """Make the prefix where it is new, and keep its server and Windows' own services running until `shut_down`.

        A program that started them would give them its output, which then never ended.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._quietly("wineserver", "--persistent")
        self._quietly("wineboot", "--init")

    def shut_down(self) -> None:
        """End every process of this Windows."""
        subprocess.run(["wineserver", "--kill"], env=self._environment(), check=False, timeout=RUN_SECONDS)

    def _open(self, command: Sequence[str], errors: int, more: Mapping[str, str]) -> subprocess.Popen[bytes]:
        # Python under Wine wants a pipe for its output; a file it takes for no handle at all.
        return subprocess.Popen(
            ["wine", *command],
            env={**self._environment(), **self.variables, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )

    def _quietly(self, *command: str) -> None:
        subprocess.run(
            command,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=_START_SECONDS,
        )

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "WINEPREFIX": str(self.folder),
            "WINEDEBUG": "-all",
            # Or names of files could only be of ASCII letters.
            "LC_ALL": "C.UTF-8",
            # No .NET, no browser engine and no desktop entries are wanted; asking for them would wait for an answer.
            "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe=",
        }


def windows_path(path: Path) -> str:
    """A path of this machine as Windows programs under Wine write it."""
    return "Z:" + str(path.absolute()).replace("/", "\\")


def _copy(process: subprocess.Popen[bytes], log: Path) -> None:
    assert process.stdout is not None
    with log.open("ab", buffering=0) as file, process.stdout as output:
        for line in output:
            file.write(line)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace").replace("\r\n", "\n")
