"""The app that everybody deploys: a megabyte that does not compress, and an installer that copies it."""

import random
import tarfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

#: The folder in a device's home where installers leave an app under its name; detection looks for it.
APPS = "apps"
SETUP_FILE = "install.sh"

_PAYLOAD_BYTES = 1_000_000
_INSTALLER = f"""\
#!/bin/sh
set -e
mkdir -p "$HOME/{APPS}"
cp payload "$HOME/{APPS}/$1"
"""


@dataclass(frozen=True)
class SmallApp:
    """The app on the operator's disk.

    Attributes:
        source: Its folder.
        archive: The same folder as tar.gz, for those who copy archives.
        digest: The archive's SHA-256.
    """

    source: Path
    archive: Path
    digest: str


def make_small_app(folder: Path, *, seed: int = 1) -> SmallApp:
    """Write the app below a folder; another seed makes another payload."""
    source, archive = folder / "source", folder / "app.tar.gz"
    source.mkdir(parents=True)
    (source / SETUP_FILE).write_text(_INSTALLER, encoding="utf-8")
    (source / "payload").write_bytes(random.Random(seed).randbytes(_PAYLOAD_BYTES))
    with tarfile.open(archive, "w:gz") as packed:
        for path in sorted(source.iterdir()):
            packed.add(path, path.name)
    return SmallApp(source, archive, sha256(archive.read_bytes()).hexdigest())


def is_installed(home: Path, app: SmallApp, name: str) -> bool:
    """Whether a device has the app under this name, to the byte."""
    installed = home / APPS / name
    return installed.exists() and installed.read_bytes() == (app.source / "payload").read_bytes()


def empty_homes(folder: Path, count: int) -> list[Path]:
    """The homes of so many devices that have nothing yet."""
    homes = [folder / f"desk-{number}" for number in range(count)]
    for home in homes:
        home.mkdir(parents=True)
    return homes
