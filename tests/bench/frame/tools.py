"""An environment of their own for what the benchmark compares with and profiles by; nothing of it is in ours."""

import hashlib
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Final

from filelock import FileLock

from deploy.supply_chain.lock_file import BENCH_LOCK, PROJECT

#: Where it lies; `make clean` removes it.
TOOLS: Final = PROJECT / ".venv-bench"

_INSTALL_SECONDS = 900


def tool(name: str) -> str:
    """The path of a program of that environment, which is made first where it is missing or was made of another lock.

    Raises:
        subprocess.CalledProcessError: It could not be installed; pip has said why.
    """
    locked = hashlib.sha256(BENCH_LOCK.read_bytes()).hexdigest()
    ready = TOOLS / ".ready"
    with FileLock(f"{TOOLS}.lock"):
        if not ready.exists() or ready.read_text(encoding="ascii") != locked:
            _install()
            ready.write_text(locked, encoding="ascii")
    return str(_scripts() / name)


def site_packages() -> Path:
    """Where its distributions lie, or would lie."""
    return Path(sysconfig.get_path("purelib", "venv", vars=_places()))


def _install() -> None:
    print(f"Setting up {TOOLS.name} from {BENCH_LOCK.name} ...", file=sys.stderr, flush=True)  # noqa: T201
    venv.create(TOOLS, with_pip=True, clear=True, symlinks=True)
    pip = [str(_scripts() / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    subprocess.run([*pip, "--require-hashes", "-r", str(BENCH_LOCK)], check=True, timeout=_INSTALL_SECONDS)


def _scripts() -> Path:
    return Path(sysconfig.get_path("scripts", "venv", vars=_places()))


def _places() -> dict[str, str]:
    return {"base": str(TOOLS), "platbase": str(TOOLS)}
