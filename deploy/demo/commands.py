"""The demo types the commands that a person would type, and shows them."""

import json
import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from contract.error_codes import ErrorCode
from contract.errors import OutriderError
from deploy.local.control_parts import program

_COMMAND_SECONDS = 120


@dataclass(frozen=True)
class Typist:
    """Runs the project's own commands with a given environment.

    Attributes:
        console: Where the commands are shown.
        environment: Added to the caller's own.
    """

    console: Console
    environment: Mapping[str, str]

    def type(self, command: str, *arguments: str, secret: str = "", shown: bool = True) -> str:
        """Run a command and return what it printed.

        Args:
            command: One of the project's commands.
            arguments: Its arguments.
            secret: An argument that is shown as dots.
            shown: Whether the command itself is shown.

        Raises:
            OutriderError: It ended with another exit status than 0.
        """
        if shown:
            line = shlex.join([command, *arguments])
            self.console.print("[bold]$[/]", line.replace(secret, "•••") if secret else line, soft_wrap=True)
        done = subprocess.run(
            [program(command), *arguments],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        if done.returncode:
            detail = f"exit status {done.returncode}\n{done.stdout}{done.stderr}".strip()
            raise OutriderError(ErrorCode.STACK_FAILED, place=command, detail=detail)
        return done.stdout

    def ask(self, command: str, *arguments: str, secret: str = "", shown: bool = True) -> dict[str, Any]:
        """Run a command with `--json` and return its answer; arguments and errors are those of `type`."""
        answer: dict[str, Any] = json.loads(self.type(command, *arguments, "--json", secret=secret, shown=shown))
        return answer
