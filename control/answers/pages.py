"""Lists page by page: each page begins right after the last entry of the one before (keyset pagination).

Entries that come or go meanwhile neither repeat others nor hide them, and the last page costs what the first one does.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Final, TypeVarTuple, cast

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError
from pydantic_core import to_json
from sqlalchemy import Select, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.database.types import UtcDateTime
from control.views.page import PAGE_ENTRIES

Ts = TypeVarTuple("Ts")

#: Columns hold no larger numbers.
_Number = Annotated[int, Field(ge=-(2**63), lt=2**63)]
_KEY_TYPES: Final[dict[type, Any]] = {str: str, int: _Number}

Key = InstrumentedAttribute[Any]

#: Entries that are put in order rather than looked for in order.
FEW: Final = 2000


@dataclass(frozen=True)
class PageRequest:
    """Which part of a list is wanted.

    Attributes:
        limit: How many entries at most.
        cursor: As a page before named it; None for the first page.
    """

    limit: int = PAGE_ENTRIES
    cursor: str | None = None


def read_page(
    session: Session, rows: Select[*Ts], keys: Sequence[Key], wanted: PageRequest
) -> tuple[list[tuple[*Ts]], str | None]:
    """The rows of a page and the cursor of the next one.

    Args:
        session: A transaction.
        rows: The whole list, without an order of its own.
        keys: What it is ordered by; together they name each row for good, and none may be null. Their types are those
            of text, numbers and moments.
        wanted: Which page.

    Raises:
        InputError: The cursor is not one of this list.
    """
    ordered = rows.add_columns(*keys).order_by(*keys).limit(wanted.limit + 1)
    if wanted.cursor is not None:
        values = values_at(keys, wanted.cursor)
        last = [literal(value, key.type) for value, key in zip(values, keys, strict=True)]
        # Keys of several tables have no index together; that of the first one leads to where the page begins.
        ordered = ordered.where(keys[0] >= last[0], tuple_(*keys) > tuple_(*last))
    found = session.execute(ordered).all()
    shown = found[: wanted.limit]
    is_last = len(found) <= wanted.limit
    cursor = None if is_last else cursor_at(keys, shown[-1][-len(keys) :])
    return [cast("tuple[*Ts]", tuple(row[: -len(keys)])) for row in shown], cursor


def few_of(session: Session, ids: Select[str]) -> Sequence[str] | None:
    """The ids of what is listed, where it is so little that it is found first and put in order then; None for more.

    Of more, each is better looked at in the order of the list until the page is full. Databases cannot tell: they do
    not know how often each value occurs, and would put all of it in order.
    """
    found = session.scalars(ids.limit(FEW + 1)).all()
    return found if len(found) <= FEW else None


def cursor_at(keys: Sequence[Key], values: Sequence[Any]) -> str:
    """The cursor for what follows the row with these values."""
    return urlsafe_b64encode(to_json([_name(keys), *values])).decode().rstrip("=")


def values_at(keys: Sequence[Key], cursor: str) -> list[Any]:
    """The values of the row that a cursor was made for.

    Raises:
        InputError: The cursor is not one of this list.
    """
    types = tuple(
        AwareDatetime if isinstance(key.type, UtcDateTime) else _KEY_TYPES[key.type.python_type] for key in keys
    )
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        name, *values = _form(types).validate_json(urlsafe_b64decode(padded), strict=True)
        # A moment near the ends of the calendar has no counterpart in UTC.
        moments = [value.astimezone(UTC) if isinstance(value, datetime) else value for value in values]
    except (Base64Error, UnicodeError, OverflowError, ValidationError) as error:
        raise InputError(ErrorCode.CURSOR_INVALID, place="cursor") from error
    if name != _name(keys):
        raise InputError(ErrorCode.CURSOR_INVALID, place="cursor", detail="it belongs to another list")
    return moments


def _name(keys: Sequence[Key]) -> str:
    """What tells the cursors of one list from those of another."""
    return " ".join(str(key) for key in keys)


@cache
def _form(types: tuple[Any, ...]) -> TypeAdapter[tuple[Any, ...]]:
    return TypeAdapter(tuple[(str, *types)])  # type: ignore[valid-type]  # at run time
