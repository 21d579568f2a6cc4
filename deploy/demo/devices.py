"""The three devices of the demo: what each one is before it starts, and how it must end."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from contract.states import Outcome

#: The program of the demo's app and everything around it.
APP_SOURCE = Path(__file__).resolve().parent / "hello"

#: What hello's installer ends with when it cannot make its folder (EX_CANTCREAT).
CANNOT_CREATE = 73


@dataclass(frozen=True)
class DemoDevice:
    """A device of the demo.

    Attributes:
        name: The device's name in the control plane, and its folder's.
        story: What is special about it, in a few words.
        prepare: Makes its home folder what the story says.
        outcome: How the job must end on it.
        raw_exit_code: The installer's exit code; None where none runs.
        downloads: Whether the content must be fetched.
    """

    name: str
    story: str
    prepare: Callable[[Path], None]
    outcome: Outcome
    raw_exit_code: int | None
    downloads: bool


def _leave_empty(home: Path) -> None:
    """Nothing was ever installed here."""
    shutil.rmtree(home / "apps", ignore_errors=True)


def _install_before(home: Path) -> None:
    """Somebody installed the app by hand."""
    target = home / "apps" / "hello"
    target.mkdir(parents=True, exist_ok=True)
    for name in ("hello", "greetings.txt"):
        shutil.copy2(APP_SOURCE / name, target / name)


def _block(home: Path) -> None:
    """A file stands where the installer must make a folder."""
    (home / "apps").write_text("not a folder\n", encoding="utf-8")


DEVICES: tuple[DemoDevice, ...] = (
    DemoDevice("laptop-new", "nothing installed yet", _leave_empty, Outcome.INSTALLED, 0, downloads=True),
    DemoDevice(
        "laptop-has-it", "has the app already", _install_before, Outcome.ALREADY_INSTALLED, None, downloads=False
    ),
    DemoDevice(
        "laptop-blocked",
        "a file stands in the installer's way",
        _block,
        Outcome.FAILED,
        CANNOT_CREATE,
        downloads=True,
    ),
)
