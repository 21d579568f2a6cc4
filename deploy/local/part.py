"""A part of the stack, as data."""

import shlex
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from deploy.local.readiness import START_MARK, Readiness, Runs

#: Names the stack's folder in the environment of every process of the stack, so that none can be lost.
STACK_VARIABLE = "OUTRIDER_STACK"
#: Names the part beside it.
PART_VARIABLE = "OUTRIDER_STACK_PART"


class Part(BaseModel):
    """One long-running process of the stack and how to see that it is up.

    Attributes:
        name: Unique in the stack; also the name of its folder and its log.
        command: Program and arguments; no shell is involved.
        environment: Added to the stack's own small environment.
        ready: What to look at to see that it can be used.
        start_timeout: How long it may take until then.
        stop_timeout: How long it may take to end after SIGTERM before it and its children are killed.
    """

    model_config = ConfigDict(frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    command: tuple[str, ...] = Field(min_length=1)
    environment: Mapping[str, str] = Field(default_factory=dict, repr=False)
    ready: Readiness = Runs()
    start_timeout: timedelta = timedelta(seconds=30)
    stop_timeout: timedelta = timedelta(seconds=10)


def run_script(part: Part, *, folder: Path, inherited: Mapping[str, str]) -> str:
    """The shell script that becomes the part's process: a person can run it by hand just as the supervisor does.

    Args:
        part: What to run.
        folder: Its working directory and HOME.
        inherited: The environment all parts share.
    """
    variables = {**inherited, "HOME": str(folder), PART_VARIABLE: part.name, **part.environment}
    exports = [f"export {name}={shlex.quote(value)}" for name, value in sorted(variables.items())]
    lines = [
        "#!/bin/sh",
        *exports,
        f"cd {shlex.quote(str(folder))} || exit 1",
        f'echo "{START_MARK}{part.name}, process $$, $(date -u +%Y-%m-%dT%H:%M:%SZ)"',
        f"exec {shlex.join(part.command)}",
    ]
    return "\n".join(lines) + "\n"
