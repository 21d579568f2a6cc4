"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from enum import IntEnum, StrEnum

from sqlalchemy import DateTime, Dialect, Integer, String, TypeDecorator

_WORD_LENGTH = 40


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. Goes in and comes out with its zone; a time without one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Into the database; SQLite keeps no zone, so all times are written in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without its zone was to be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Out of the database, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class WordColumn(TypeDecorator[StrEnum]):
    """A word of one enumeration, stored as the word itself."""

    impl = String(_WORD_LENGTH)
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        self.words = words
        # To call an enumeration costs four times as much, for each value of each row.
        self._members = {word.value: word for word in words}
        super().__init__()

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """The word."""
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002
        """The member."""
        return None if value is None else self._members[value]


class NumberColumn(TypeDecorator[IntEnum]):
    """A number of one enumeration; the numbers are facts, so they are stored as they are."""

    impl = Integer
    cache_ok = True

    def __init__(self, numbers: type[IntEnum]) -> None:
        self.numbers = numbers
        self._members = {number.value: number for number in numbers}
        super().__init__()

    def process_bind_param(self, value: IntEnum | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """The number."""
        return None if value is None else self.numbers(value).value

    def process_result_value(self, value: int | None, dialect: Dialect) -> IntEnum | None:  # noqa: ARG002
        """The member."""
        return None if value is None else self._members[value]
