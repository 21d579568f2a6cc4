"""One device on Windows: the agent's own command line, run as a person would run it there."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.polling import wait_until
from tests.windows.wine import Wine, windows_path

_START_SECONDS = 60
_SHOWN_CHARACTERS = 5000


@dataclass(frozen=True)
class WindowsDevice:
    """A Windows with the agent on it.

    Attributes:
        wine: The Windows.
        python: The folder of its `python.exe`.
        log: What the running agent prints.
    """

    wine: Wine
    python: Path
    log: Path

    @property
    def state(self) -> Path:
        """Where the agent keeps its state when nobody says where."""
        return self.wine.drive_c / "ProgramData" / "Outrider"

    def run_python(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run Python to its end."""
        return self.wine.run(self._python, *arguments, **options)

    def agent(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the agent to its end."""
        return self.run_python("-m", "worker.cli.main", *arguments)

    def ask(self, *arguments: str) -> dict[str, Any]:
        """The answer of a command of the agent that has to succeed."""
        done = self.agent(*arguments, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def start_agent(self) -> subprocess.Popen[bytes]:
        """Start the agent and wait until it takes messages."""
        said_before = self._times_ready()
        process = self.wine.start(self.log, self._python, "-m", "worker.cli.main", "run")
        wait_until(lambda: self._times_ready() > said_before or process.poll() is not None, seconds=_START_SECONDS)
        assert self._times_ready() > said_before, self.last_words()
        return process

    def last_words(self) -> str:
        """The end of what the agent printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-_SHOWN_CHARACTERS:]

    @property
    def _python(self) -> str:
        return windows_path(self.python / "python.exe")

    def _times_ready(self) -> int:
        return self.log.read_text(encoding="utf-8", errors="replace").count("ready.") if self.log.exists() else 0
