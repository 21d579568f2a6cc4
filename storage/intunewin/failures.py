"""The operating system's refusals as package errors: each names what was being done and where."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contract.error_codes import ErrorCode
from contract.errors import PackageError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a refusal while writing below `path` into a `PackageError` (PACKAGE_WRITE_FAILED)."""
    try:
        yield
    except OSError as error:
        raise PackageError(ErrorCode.PACKAGE_WRITE_FAILED, detail=reason(error), place=str(path)) from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn a refusal while reading the package `path` into a `PackageError` (PACKAGE_NOT_A_PACKAGE)."""
    try:
        yield
    except OSError as error:
        raise PackageError(ErrorCode.PACKAGE_NOT_A_PACKAGE, detail=reason(error), place=str(path)) from error


def reason(error: OSError) -> str:
    """The system's own words for the refusal, such as `No space left on device`."""
    words = error.strerror or str(error) or type(error).__name__
    name = errno.errorcode.get(error.errno or 0)
    return f"{words} ({name})" if name else words


def corrupt(detail: str, place: str = "") -> PackageError:
    """The error for content that does not match its own metadata or structure."""
    return PackageError(ErrorCode.PACKAGE_CORRUPT, detail=detail, place=place)


def unusable(detail: str, place: str) -> PackageError:
    """The error for something in the source folder that a package cannot hold."""
    return PackageError(ErrorCode.PACKAGE_SOURCE_UNUSABLE, detail=detail, place=place)


def unsafe(detail: str, place: str = "") -> PackageError:
    """The error for content that could harm the machine it is unpacked on."""
    return PackageError(ErrorCode.PACKAGE_UNSAFE, detail=detail, place=place)
