"""Which devices are looked at: those of a part of the fleet, or some that are named.

Statements about them are put together once for each kind of selection: that, and finding the compiled form of a new
one, is most of what a small statement costs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Executable, Result, bindparam
from sqlalchemy.orm import InstrumentedAttribute, Session

from control.database.among import among

_Column: TypeAlias = InstrumentedAttribute[str] | ColumnElement[str]

_FIRST_ID: Final = "first_device_id"
_LAST_ID: Final = "last_device_id"
_IDS: Final = "device_ids"


@dataclass(frozen=True)
class Span:
    """Devices that follow each other in the order of their ids, from the first to the last."""

    first_id: str
    last_id: str

    @staticmethod
    def holds(device_id: _Column) -> ColumnElement[bool]:
        """Whether a row is about one of them."""
        return device_id.between(bindparam(_FIRST_ID), bindparam(_LAST_ID))

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What a statement with that condition is to be given."""
        return {_FIRST_ID: self.first_id, _LAST_ID: self.last_id}


@dataclass(frozen=True)
class Those:
    """Devices by their ids."""

    ids: tuple[str, ...]

    @staticmethod
    def holds(device_id: _Column) -> ColumnElement[bool]:
        """Whether a row is about one of them."""
        return among(device_id, _IDS)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What a statement with that condition is to be given."""
        return {_IDS: self.ids}


Selection: TypeAlias = Span | Those
SelectionKind: TypeAlias = type[Span] | type[Those]


class AboutDevices:
    """A statement about selected devices.

    Args:
        make: Puts it together for a kind of selection.
    """

    def __init__(self, make: Callable[[SelectionKind], Executable]) -> None:
        self._by_kind: Mapping[SelectionKind, Executable] = {Span: make(Span), Those: make(Those)}

    def execute(self, session: Session, devices: Selection, **parameters: Any) -> Result[*tuple[Any, ...]]:
        """Execute it.

        Args:
            session: The transaction. Where the statement names no mapped class, what the session has not written yet is
                not seen.
            devices: The devices.
            parameters: Others that the statement has.
        """
        return session.execute(self._by_kind[type(devices)], {**devices.parameters, **parameters})
