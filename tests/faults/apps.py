"""Many small apps from one package: each writes down every run of its installer."""

import random
from dataclasses import dataclass
from pathlib import Path

from control.catalog.manifest import Manifest
from control.client.control_client import ControlClient
from storage.intunewin.builder import build_package

#: What an app's installer leaves: detection looks for it.
MARKERS = "apps"
#: Where installers write down their runs; see `records`.
RECORD = "record"

_INSTALLER = f"""\
there=absent
[ -e "$HOME/{MARKERS}/$1" ] && there=present
echo "begin $OUTRIDER_INSTALLER $1 $there" >> "$HOME/{RECORD}"
mkdir -p "$HOME/{MARKERS}"
[ "$2" = 0 ] || sleep "$2"
[ "$3" = "" ] || [ -e "$HOME/$3" ] || exit 1
touch "$HOME/{MARKERS}/$1"
echo "end $OUTRIDER_INSTALLER $1 $there" >> "$HOME/{RECORD}"
"""

#: Content that does not compress, so that a transfer takes long enough to be cut.
_PAYLOAD_BYTES = 300_000


@dataclass(frozen=True)
class Pace:
    """How the apps of a trial are tried.

    Attributes:
        installer_seconds: How long each installer runs.
        attempts: In all, before the long wait.
        retry_seconds: Between two attempts.
        grs_seconds: The long wait.
        permit: A file in the device's home without which the installer fails; empty for none.
    """

    installer_seconds: float = 0.0
    attempts: int = 3
    retry_seconds: float = 1.0
    grs_seconds: float = 2.0
    permit: str = ""


def upload_package(client: ControlClient, folder: Path) -> str:
    """Build and upload the one package; the answer is its digest."""
    source = folder / "source"
    source.mkdir(parents=True)
    (source / "install.sh").write_text(_INSTALLER, encoding="utf-8")
    (source / "payload").write_bytes(random.Random(1).randbytes(_PAYLOAD_BYTES))
    build_package(source, "install.sh", folder / "packages")
    return client.upload(folder / "packages" / "install.intunewin", lambda _: None).digest


def publish(client: ControlClient, package: str, name: str, group: str, pace: Pace) -> None:
    """Publish an app of the package, wanted on a group."""
    manifest = {
        "name": name,
        "installCommandLine": f"sh install.sh {name} {pace.installer_seconds:g} {pace.permit}",
        "uninstallCommandLine": "true",
        "detectionRules": [{"type": "file", "path": f"%HOME%/{MARKERS}", "fileOrFolderName": name}],
        "attempts": pace.attempts,
        "retryIntervalInMinutes": pace.retry_seconds / 60,
        "grsInHours": pace.grs_seconds / 3600,
        "assignments": [{"group": group, "intent": "required"}],
    }
    client.publish(Manifest.model_validate(manifest), package)
