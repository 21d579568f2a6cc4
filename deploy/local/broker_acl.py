"""The broker's users.

Only the control plane's API makes device users, live, with `ACL SETUSER` and then `ACL SAVE`; starting the broker
again keeps them and renews the lines of the users named here.

Whoever holds the control user's password can make users of any rights: it is the broker's administrator and stays on
the control plane's machine. It still has no rights of its own to look into what it does not need.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from deploy.local.files import write_private

CONTROL = "control"
FLOWER = "flower"

_NOBODY = "resetchannels -@all resetkeys"
_CONNECT = "+hello +auth +ping +select +client|setname +client|setinfo"

#: The channels of events in database 0. A listener must be allowed the very pattern it listens to.
_EVENTS = "&/0.celeryev/*"

#: Sends to devices and looks after their queues; consumes its own with kombu's bookkeeping; makes device users.
_CONTROL_RULES = (
    f"{_NOBODY} {_CONNECT}"
    " ~control* ~processing.control* ~device.* ~processing.device.* ~_kombu.* ~unacked*"
    f" {_EVENTS}"
    " +@list +@set +@sortedset +@hash +@transaction +get +set +setnx +del +exists +expire +pexpire +type +ttl"
    " +publish +evalsha +script|load"
    " +acl|setuser +acl|deluser +acl|getuser +acl|save"
)

#: Listens to events and counts what waits in the queues. The sets it may change hold kombu's notes on who listens; what
#: it may publish asks workers to send events, which reaches nobody, but without it Flower would not start to listen.
_FLOWER_RULES = (
    f"{_NOBODY} {_CONNECT} +multi +exec +discard"
    " +llen ~control* ~device.*"
    f" {_EVENTS} +subscribe +psubscribe +unsubscribe +punsubscribe"
    " (-@all +sadd +srem +smembers ~_kombu.binding.celeryev ~_kombu.binding_permanent.celeryev)"
    " (-@all +llen +del ~celeryev.*)"
    " (-@all +publish &/0.celery.pidbox)"
)


def write_users(path: Path, passwords: Mapping[str, str]) -> None:
    """Write the broker's user file: nobody without a name, the users of `passwords`, and the devices it already held.

    Args:
        path: The ACL file, mode 0600; it holds the passwords' digests only.
        passwords: By the users `CONTROL` and `FLOWER`.
    """
    rules = {CONTROL: _CONTROL_RULES, FLOWER: _FLOWER_RULES}
    own = [f"user {name} reset on #{_digest(passwords[name])} {rules[name]}" for name in rules]
    kept = _other_users(path, {"default", *rules})
    write_private(path, "\n".join(["user default reset off", *own, *kept]) + "\n")


def _digest(password: str) -> str:
    """What the broker compares; the password has 192 random bits, so a plain digest cannot be guessed back."""
    return hashlib.sha256(password.encode()).hexdigest()


def _other_users(path: Path, known: set[str]) -> list[str]:
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("user ") and line.split()[1] not in known]
