"""What the agent asks of the machine it runs on, method by method.

Implementations are chosen by `worker.platform.select`; all pass the suite in `tests/worker/platform/`.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from contract.rules import Rule
from contract.uplink import DeviceFacts


@dataclass(frozen=True)
class FileFacts:
    """What a file rule can look at.

    Attributes:
        size: Bytes; None for a folder.
        modified_at: In UTC.
        created_at: In UTC; None where the platform does not keep it.
    """

    size: int | None
    modified_at: datetime
    created_at: datetime | None


class Platform(Protocol):
    """The machine, as rules and installers see it."""

    def facts(self) -> DeviceFacts:
        """What the device says of itself."""
        ...

    def cpu_speed_in_mhz(self) -> int | None:
        """The processors' highest speed; None where the machine does not tell."""
        ...

    def expand(self, path: str) -> str:
        """The path with each `%NAME%` replaced by the agent's environment variable of that name.

        Raises:
            LookupError: There is no such variable.
        """
        ...

    def file_facts(self, path: Path) -> FileFacts | None:
        """What lies at the path, links followed; None where nothing does.

        Raises:
            OSError: It cannot be told, for example for want of rights.
        """
        ...

    def script_interpreter(self) -> tuple[str, ...]:
        """What runs a rule's script that names no interpreter."""
        ...

    def why_unanswerable(self, rule: Rule) -> str:
        """In words why this platform cannot answer the rule; empty where it can."""
        ...
