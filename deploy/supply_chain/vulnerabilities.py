"""What is publicly known against the locked versions, asked with pip-audit."""

import json
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from packaging.utils import canonicalize_name

from deploy.supply_chain.lock_file import Finding, Locked

_LIMIT_SECONDS: Final = 600
_PIP_AUDIT: Final = (
    "pip_audit", "--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json", "--requirement",
)  # fmt: skip
#: It ends with 0 where it found nothing, also where it could not ask, and with 1 where it found something or failed.
_ANSWERS: Final = frozenset({0, 1})


@dataclass(frozen=True)
class Answer:
    """What the service said.

    Attributes:
        known: What is known against a version.
        unasked: Names about which nothing was said: the service does not answer, or does not know them.
        reason: Why, of the first of them.
    """

    known: tuple[Finding, ...]
    unasked: tuple[str, ...]
    reason: str = ""


def ask(lock: Path, locked: Collection[Locked]) -> Answer:
    """Ask for all locked versions."""
    command = [sys.executable, "-m", *_PIP_AUDIT, str(lock)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return understand(locked, None, f"no answer within {_LIMIT_SECONDS} s")
    return understand(locked, done.stdout if done.returncode in _ANSWERS else None, done.stderr)


def understand(locked: Collection[Locked], output: str | None, errors: str = "") -> Answer:
    """What an answer of pip-audit says of these versions; what it is silent about counts as not asked."""
    names: set[str] = {each.name for each in locked}
    try:
        entries: list[dict[str, Any]] = json.loads(output or "")["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Answer((), tuple(sorted(names)), (errors.strip().splitlines() or ["no answer"])[-1])
    told: dict[str, dict[str, Any]] = {canonicalize_name(entry["name"]): entry for entry in entries}
    skipped = {name: entry["skip_reason"] for name, entry in told.items() if "skip_reason" in entry}
    unasked = sorted(skipped.keys() | (names - told.keys()))
    reason = next((skipped[name] for name in unasked if name in skipped), "not mentioned in the answer")
    known = [finding for entry in entries for finding in _findings(entry)]
    return Answer(tuple(known), tuple(unasked), reason if unasked else "")


def _findings(entry: dict[str, Any]) -> list[Finding]:
    place = f"{entry['name']} {entry.get('version', '')}".strip()
    return [
        Finding(place, f"{each['id']}, fixed in {', '.join(each.get('fix_versions') or ['no version yet'])}")
        for each in entry.get("vulns", ())
    ]
