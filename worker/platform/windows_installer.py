"""What Windows Installer has installed, from itself; pywin32 leaves it out."""

import ctypes
import sys

assert sys.platform == "win32"

_INSTALLSTATE_DEFAULT = 5
_ERROR_SUCCESS = 0
#: A version is three numbers of at most five digits; what is longer is not cut but refused by Windows Installer.
_VERSION_CHARACTERS = 64


def product_version(product_code: str) -> str | None:
    """The version of an installed product; None where it is not installed, or only advertised.

    Windows Installer keeps one record of 32-bit and 64-bit products.

    Args:
        product_code: In braces and upper case.

    Raises:
        OSError: It does not tell.
    """
    if ctypes.windll.msi.MsiQueryProductStateW(product_code) != _INSTALLSTATE_DEFAULT:
        return None
    version = ctypes.create_unicode_buffer(_VERSION_CHARACTERS)
    length = ctypes.c_uint32(_VERSION_CHARACTERS)
    result = ctypes.windll.msi.MsiGetProductInfoW(product_code, "VersionString", version, ctypes.byref(length))
    if result != _ERROR_SUCCESS:
        raise OSError(None, f"Windows Installer does not tell its version: {ctypes.FormatError(result)}")
    return version.value
