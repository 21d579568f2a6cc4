"""Make what devices send fit what databases store: a device's word must never fail on a detail like that."""

from collections.abc import Iterable, Mapping
from typing import Final

from pydantic import BaseModel

from contract.error_codes import ErrorCode
from contract.errors import DocumentError

_SMALLEST: Final = -(1 << 63)
_LARGEST: Final = (1 << 63) - 1
_REPLACEMENT: Final = "�"


def check_numbers(document: BaseModel) -> None:
    """Refuse numbers that no column can hold.

    Raises:
        DocumentError: A number has more than 64 bits.
    """
    for number in _integers(document.model_dump()):
        if not _SMALLEST <= number <= _LARGEST:
            detail = "a number has more than 64 bits"
            raise DocumentError(ErrorCode.DOCUMENT_INVALID, place=type(document).__name__, detail=detail)


def storable_text(text: str, limit: int | None = None) -> str:
    """The text without NUL, which PostgreSQL cannot store, and cut at `limit` characters."""
    return text.replace("\0", _REPLACEMENT)[:limit]


def _integers(value: object) -> Iterable[int]:
    if isinstance(value, bool):
        return
    if isinstance(value, int):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _integers(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _integers(part)
