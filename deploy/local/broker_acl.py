"""The file of the embedded broker's users.

Users of devices are made live and saved by the broker itself; writing the file keeps them and renews the lines of the
control plane's parts.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from deploy.local.broker_rules import RULES, BrokerUser
from deploy.local.files import write_private


def write_users(path: Path, passwords: Mapping[BrokerUser, str]) -> None:
    """Write the broker's user file: nobody without a name, one user for each part, and whom it already held.

    Args:
        path: The ACL file, mode 0600; it holds the passwords' digests only.
        passwords: By user; all of them.
    """
    own = [f"user {user} reset on #{_digest(passwords[user])} {rules}" for user, rules in RULES.items()]
    kept = _other_users(path, {"default", *RULES})
    write_private(path, "\n".join(["user default reset off", *own, *kept]) + "\n")


def _digest(password: str) -> str:
    """What the broker compares; the password has 192 random bits, so a plain digest cannot be guessed back."""
    return hashlib.sha256(password.encode()).hexdigest()


def _other_users(path: Path, known: set[str]) -> list[str]:
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("user ") and line.split()[1] not in known]
