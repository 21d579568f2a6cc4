"""Make the virtual environment that everything else runs in; needs nothing but a bare Python.

Usage: python3 deploy/bootstrap_venv.py DIR
"""

import subprocess
import sys
from pathlib import Path

OLDEST_PYTHON = (3, 11)
PROJECT = Path(__file__).resolve().parent.parent
LOCK = PROJECT / "requirements.lock"


def main() -> int:
    """Create the environment, install the locked requirements, then this project on top of them."""
    target = Path(sys.argv[1])
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(str(part) for part in sys.version_info[:3])
        print(f"Outrider needs Python 3.11 or newer; this is {found}. Name another one: make PYTHON=python3.12 setup")
        return 2
    try:
        import ensurepip  # noqa: F401, PLC0415
        import venv  # noqa: PLC0415
    except ImportError:
        print("This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv")
        return 2
    print(f"Setting up {target} from {LOCK.name} ...", flush=True)
    venv.create(target, with_pip=True, clear=True, symlinks=True)
    python = target / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-compile"]
    subprocess.run([*pip, "--require-hashes", "-r", str(LOCK)], check=True)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(PROJECT)], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
