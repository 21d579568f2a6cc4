"""Where the time of a process went, by samples of its threads' stacks."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.supply_chain.lock_file import PROJECT

_IMPORTING = "<frozen importlib._bootstrap>"
#: The part of a path that says nothing.
_PREFIX = re.compile(rf"{re.escape(str(PROJECT))}/(?!\.venv)|.*/(?:site-packages|lib/python3\.\d+)/")
#: Options of Python that have a value.
_WITH_VALUE = {"-W", "-X"}


@dataclass
class WorkTime:
    """Seconds in which threads were at work, as far as sampling can tell.

    Attributes:
        importing: Loading modules; in neither of the others.
        own: By function, while it was the innermost.
        cumulative: By function, while it or something that it called was.
    """

    importing: float = 0.0
    own: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    cumulative: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def seconds(self) -> float:
        """All of it, without loading modules."""
        return sum(self.own.values())

    def add(self, stack: Sequence[str], seconds: float) -> None:
        """Count a sample; the stack goes from the outermost function to the innermost."""
        if any(_IMPORTING in name for name in stack):
            self.importing += seconds
        elif stack:
            self.own[stack[-1]] += seconds
            for name in set(stack):
                self.cumulative[name] += seconds

    def add_all(self, recorded: Mapping[str, Any]) -> None:
        """Count every sample of a file for speedscope, of all threads."""
        functions = [_function(frame) for frame in recorded["shared"]["frames"]]
        for thread in recorded["profiles"]:
            for stack, seconds in zip(thread["samples"], thread["weights"], strict=True):
                self.add([functions[index] for index in stack], seconds)


def label(command: Sequence[str]) -> str:
    """What a command line runs, in a few words: `outrider-control api`, `tests.bench`, `valkey-server`."""
    words = list(command)
    program = Path(words.pop(0)).name if words else "unknown"
    if not program.startswith("python"):
        return program
    while words and words[0].startswith("-") and words[0] not in {"-m", "-c"}:
        del words[: 2 if words[0] in _WITH_VALUE else 1]
    match words:
        case ["-m", module, *_]:
            return module
        case ["-c", *_] | []:
            return program
        case [script, argument, *_] if not argument.startswith("-"):
            return f"{Path(script).name} {argument}"
        case _:
            return Path(words[0]).name


def _function(frame: Mapping[str, Any]) -> str:
    """A function with its place, the path from the project's or the library's folder on."""
    return f"{frame['name']} ({_PREFIX.sub('', frame['file'])}:{frame['line']})"
