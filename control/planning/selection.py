"""Which devices are looked at: those of a part of the fleet, or some that are named."""

from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

_Column: TypeAlias = InstrumentedAttribute[str] | ColumnElement[str]


@dataclass(frozen=True)
class Span:
    """Devices that follow each other in the order of their ids, from the first to the last."""

    first_id: str
    last_id: str

    def holds(self, device_id: _Column) -> ColumnElement[bool]:
        """Whether a row is about one of them."""
        return device_id.between(self.first_id, self.last_id)


@dataclass(frozen=True)
class Those:
    """Devices by their ids: few enough for one statement."""

    ids: tuple[str, ...]

    def holds(self, device_id: _Column) -> ColumnElement[bool]:
        """Whether a row is about one of them."""
        return device_id.in_(self.ids)


Selection = Span | Those
