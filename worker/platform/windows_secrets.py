"""Keeping what the agent keeps from everybody else on a Windows machine."""

import sys
from pathlib import Path
from typing import Final

import pywintypes
import win32crypt
import win32security
from win32com.shell import shell

assert sys.platform == "win32"

#: The service and an administrator at the keyboard are two accounts of one machine: the key is the machine's.
_FLAGS: Final = 0x4 | 0x1  # CRYPTPROTECT_LOCAL_MACHINE, CRYPTPROTECT_UI_FORBIDDEN
_DESCRIPTION: Final = "Outrider"
#: Nobody but the system and administrators, for all that is below, too; what a parent folder grants does not count.
_RIGHTS: Final = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
#: The folder itself becomes theirs: whoever made it first could open it again.
_OF_ADMINISTRATORS: Final = f"O:BA{_RIGHTS}"
#: An agent that somebody runs without being one of them keeps its own folder.
_OF_ITS_OWNER: Final = f"{_RIGHTS}(A;OICI;FA;;;OW)"


def seal(secret: bytes) -> bytes:
    """Encrypt with a key that never leaves this machine (DPAPI): a stolen copy of the file opens nowhere else."""
    sealed: bytes = win32crypt.CryptProtectData(secret, _DESCRIPTION, None, None, None, _FLAGS)
    return sealed


def unseal(sealed: bytes) -> bytes:
    """Open what `seal` made.

    Raises:
        ValueError: It was made on another machine, or is damaged.
    """
    try:
        _, secret = win32crypt.CryptUnprotectData(sealed, None, None, None, _FLAGS)
    except pywintypes.error as error:
        raise ValueError(f"this machine cannot open it: {error.strerror}") from error
    return bytes(secret)


def close_to_others(folder: Path) -> None:
    """Let only the system and administrators into a folder and all that is in it, and whoever runs the agent.

    Raises:
        OSError: The system refused.
    """
    is_admin = shell.IsUserAnAdmin()
    convert = win32security.ConvertStringSecurityDescriptorToSecurityDescriptor
    wanted = convert(_OF_ADMINISTRATORS if is_admin else _OF_ITS_OWNER, win32security.SDDL_REVISION_1)
    what = win32security.DACL_SECURITY_INFORMATION | win32security.PROTECTED_DACL_SECURITY_INFORMATION
    if is_admin:
        what |= win32security.OWNER_SECURITY_INFORMATION
    owner, rights = wanted.GetSecurityDescriptorOwner(), wanted.GetSecurityDescriptorDacl()
    try:
        win32security.SetNamedSecurityInfo(str(folder), win32security.SE_FILE_OBJECT, what, owner, None, rights, None)
    except pywintypes.error as error:
        raise OSError(None, error.strerror, str(folder), error.winerror) from error
