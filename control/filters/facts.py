"""The facts of a device as rules see them."""

from collections.abc import Mapping
from typing import Any, Protocol

from control.filters.evaluate import Facts
from control.filters.properties import Property


class Described(Protocol):
    """A device, or columns of one."""

    @property
    def id(self) -> str:
        """The id it got when it enrolled."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def site(self) -> str | None:
        """Where it stands."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What it says of itself."""


def facts_of(device: Described) -> Facts:
    """What a device says of itself, and what operators say of it."""
    said = {**device.facts, "id": device.id, "name": device.name, "site": device.site}
    return {each: _text(said.get(each.fact)) for each in Property}


def _text(value: object) -> str | None:
    """Trimmed, and None where nothing is left."""
    return None if value is None else str(value).strip() or None
