"""Unpacked content in the hands of the user it is installed for."""

import os
import sys
from pathlib import Path

from worker.folders import Folders
from worker.processes.account import Account

#: Others may walk through, and neither list nor change anything.
_WALK_THROUGH = 0o711
_OWNER_BITS = 0o700


def give_content(folders: Folders, content: Path, account: Account) -> None:
    """Make the unpacked content the user's own and let the user walk to it; nothing else opens.

    The content's own folder changes hands last: until then the user cannot get in and put anything in the way.

    Raises:
        OSError: The system refused.
    """
    if sys.platform == "win32" or account.is_own:
        return
    for entry in folders.state.iterdir():
        if entry != folders.cache and not entry.is_symlink():
            entry.chmod(entry.stat().st_mode & _OWNER_BITS)
    for folder in (folders.state, folders.cache):
        folder.chmod(_WALK_THROUGH)
    for parent, names, files in os.walk(content, topdown=False):
        for name in (*names, *files):
            os.chown(Path(parent) / name, account.uid, account.gid, follow_symlinks=False)
    os.chown(content, account.uid, account.gid, follow_symlinks=False)
