"""Which file of a stack lies where; everything below one folder."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StackLayout:
    """The paths of one stack.

    Attributes:
        folder: The stack's folder, absolute and free of symbolic links: it is also the stack's name.
    """

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> "StackLayout":
        """The layout below `folder`, which need not exist yet."""
        return cls(folder.expanduser().resolve())

    @property
    def lock(self) -> Path:
        """Held by the one command that may change the stack."""
        return self.folder / "lock"

    @property
    def addresses(self) -> Path:
        """Where everything answers, with the keys to it."""
        return self.folder / "stack.json"

    @property
    def secrets(self) -> Path:
        """The random secrets made at the first start."""
        return self.folder / "secrets.json"

    @property
    def supervisor(self) -> Path:
        """The supervisor's configuration, and below it a program section for each part."""
        return self.folder / "supervisor"

    @property
    def logs(self) -> Path:
        """One log per part, and the supervisor's own."""
        return self.folder / "logs"

    @property
    def temporary(self) -> Path:
        """What all parts take for the machine's temporary folder."""
        return self.folder / "tmp"

    @property
    def control_state(self) -> Path:
        """The control plane's key files."""
        return self.part("control")

    @property
    def database(self) -> Path:
        """The embedded database."""
        return self.control_state / "outrider.db"

    def part(self, name: str) -> Path:
        """The folder of one part: its working directory and HOME."""
        return self.folder / "parts" / name

    def log(self, name: str) -> Path:
        """The log of one part."""
        return self.logs / f"{name}.log"
