"""The arithmetic of byte ranges."""

from contract.error_codes import ErrorCode
from contract.errors import InputError


def http_range(start: int, length: int | None, *, place: str) -> str | None:
    """The Range header for `length` bytes from `start` on; None where the whole object is meant.

    Raises:
        InputError: No such range can exist.
    """
    check_range(start, length, place=place)
    if length is not None:
        return f"bytes={start}-{start + length - 1}"
    return f"bytes={start}-" if start else None


def check_range(start: int, length: int | None, *, place: str) -> None:
    """Refuse ranges that no object can have.

    Raises:
        InputError: The start is negative, or not even one byte is asked for.
    """
    if start < 0 or (length is not None and length < 1):
        raise InputError(ErrorCode.RANGE_UNSATISFIABLE, place=place, detail=f"start {start}, length {length}")
