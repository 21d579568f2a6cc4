"""`make sbom`: the bill of materials (CycloneDX) and the list of licences, made of the lock file.

The same lock file gives the same bill, byte for byte, on every machine.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import typer

from deploy.supply_chain.licences import licence_list
from deploy.supply_chain.lock_file import LOCK, PROJECT, read_lock

FOLDER: Final = PROJECT / "dist"
BILL: Final = "sbom.cdx.json"
LICENCES: Final = "licences.tsv"
SCHEMA_VERSION: Final = "1.6"


def bill_of_materials(lock: Path) -> str:
    """The bill of a lock file, checked against the schema by the tool that makes it."""
    command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", str(lock)]
    options = ["--pyproject", str(PROJECT / "pyproject.toml"), "--sv", SCHEMA_VERSION, "--of", "JSON"]
    reproducible = ["--output-reproducible", "--validate", "-o", "-"]
    made = subprocess.run([*command, *options, *reproducible], capture_output=True, text=True, check=True)
    return json.dumps(_tidied(json.loads(made.stdout)), indent=2, sort_keys=True) + "\n"


def _tidied(bill: dict[str, Any]) -> dict[str, Any]:
    """Without the lock file's lines as descriptions: they hold the hashes a second time."""
    for component in bill["components"]:
        component.pop("description", None)
    return bill


def main() -> None:
    """Write both files."""
    FOLDER.mkdir(exist_ok=True)
    locked, _ = read_lock(LOCK)
    (FOLDER / BILL).write_text(bill_of_materials(LOCK), encoding="utf-8")
    (FOLDER / LICENCES).write_text(licence_list(locked), encoding="utf-8")
    typer.echo(f"{FOLDER.name}/{BILL}: {len(locked)} components, CycloneDX {SCHEMA_VERSION}")
    typer.echo(f"{FOLDER.name}/{LICENCES}: {len(locked)} licences, as the distributions state them")


if __name__ == "__main__":
    main()
