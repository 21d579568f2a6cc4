"""A disk so small that it can be full."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SIZE = "32m"


def why_not() -> str | None:
    """Why this process cannot make a disk; None where it can."""
    return None if sys.platform == "linux" and os.geteuid() == 0 else "only Linux's root may mount a small disk"


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A disk of its own at `folder`, in memory, while the context lasts."""
    folder.mkdir(parents=True, mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
