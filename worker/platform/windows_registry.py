"""Reading the Windows registry, in either view."""

import sys
import winreg

from worker.platform.port import Hive, RegistryKey, RegistryValue, View

assert sys.platform == "win32"

_HIVES = {
    Hive.LOCAL_MACHINE: winreg.HKEY_LOCAL_MACHINE,
    Hive.CURRENT_USER: winreg.HKEY_CURRENT_USER,
    Hive.CLASSES_ROOT: winreg.HKEY_CLASSES_ROOT,
    Hive.USERS: winreg.HKEY_USERS,
    Hive.CURRENT_CONFIG: winreg.HKEY_CURRENT_CONFIG,
}
_VIEWS = {View.NATIVE: winreg.KEY_WOW64_64KEY, View.BITS_32: winreg.KEY_WOW64_32KEY}


def has_key(key: RegistryKey) -> bool:
    """Whether the key is there.

    Raises:
        OSError: It may not be read.
    """
    try:
        _open(key).Close()
    except FileNotFoundError:
        return False
    return True


def value_of(key: RegistryKey, name: str) -> RegistryValue | None:
    """A value of a key; None where the key or the value is not there.

    Raises:
        OSError: It may not be read.
    """
    try:
        with _open(key) as opened:
            data, kind = winreg.QueryValueEx(opened, name)
    except FileNotFoundError:
        return None
    return _as_told(data, kind)


def _open(key: RegistryKey) -> winreg.HKEYType:
    return winreg.OpenKeyEx(_HIVES[key.hive], key.path, access=winreg.KEY_READ | _VIEWS[key.view])


def _as_told(data: object, kind: int) -> RegistryValue:
    match data:
        case str() | int():
            return data
        case list() if kind == winreg.REG_MULTI_SZ:
            return tuple(str(item) for item in data)
        case bytes():
            return data
        case _:
            return b""
