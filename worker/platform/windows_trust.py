"""Whether Windows trusts a file's signature, by its own judgement; pywin32 leaves it out."""

import ctypes
import sys
from ctypes import wintypes
from pathlib import Path

assert sys.platform == "win32"

_NO_UI = 2
_CHECK_NO_REVOCATION_LISTS = 0
_OF_A_FILE = 1
_VERIFY, _CLOSE = 1, 2
#: Of the judgement: the file carries no signature, or is of a kind that can carry none.
_UNSIGNED = frozenset({0x800B0100, 0x800B0003, 0x800B0001})


class _Guid(ctypes.Structure):
    _fields_ = (
        ("first", wintypes.DWORD),
        ("second", wintypes.WORD),
        ("third", wintypes.WORD),
        ("rest", ctypes.c_ubyte * 8),
    )


#: WINTRUST_ACTION_GENERIC_VERIFY_V2: as Explorer and PowerShell judge.
_GENERIC_VERIFY = _Guid(0xAAC56B, 0xCD44, 0x11D0, (ctypes.c_ubyte * 8)(0x8C, 0xC2, 0x00, 0xC0, 0x4F, 0xC2, 0x95, 0xEE))


class _FileInfo(ctypes.Structure):
    _fields_ = (
        ("size", wintypes.DWORD),
        ("path", wintypes.LPCWSTR),
        ("handle", wintypes.HANDLE),
        ("known_subject", ctypes.c_void_p),
    )


class _TrustData(ctypes.Structure):
    _fields_ = (
        ("size", wintypes.DWORD),
        ("policy", ctypes.c_void_p),
        ("sip", ctypes.c_void_p),
        ("ui", wintypes.DWORD),
        ("revocation", wintypes.DWORD),
        ("kind", wintypes.DWORD),
        ("file", ctypes.POINTER(_FileInfo)),
        ("action", wintypes.DWORD),
        ("state", wintypes.HANDLE),
        ("url", wintypes.LPCWSTR),
        ("flags", wintypes.DWORD),
        ("context", wintypes.DWORD),
        ("settings", ctypes.c_void_p),
    )


def why_untrusted(path: Path) -> str:
    """In words why a file's signature does not hold; empty where it holds."""
    file = _FileInfo(ctypes.sizeof(_FileInfo), str(path), None, None)
    data = _TrustData(size=ctypes.sizeof(_TrustData), ui=_NO_UI, revocation=_CHECK_NO_REVOCATION_LISTS)
    data.kind, data.file, data.action = _OF_A_FILE, ctypes.pointer(file), _VERIFY
    verify = ctypes.windll.wintrust.WinVerifyTrust
    result = verify(None, ctypes.byref(_GENERIC_VERIFY), ctypes.byref(data)) & 0xFFFF_FFFF
    data.action = _CLOSE
    verify(None, ctypes.byref(_GENERIC_VERIFY), ctypes.byref(data))
    if result == 0:
        return ""
    if result in _UNSIGNED:
        return "it is not signed"
    return f"{ctypes.FormatError(result).strip() or 'Windows does not trust it'} (0x{result:08X})"
