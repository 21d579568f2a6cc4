"""Who asks, on the operators' side, and how far their word reaches."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import TrustError
from control.database.tables import GroupMember, Role


class Actor(Protocol):
    """Who changes something, as the audit log has it."""

    @property
    def signature(self) -> str:
        """How the log names them."""
        ...

    @property
    def source(self) -> str:
        """The address the request came from."""
        ...


@dataclass(frozen=True)
class DeviceActor:
    """A device that changes something about itself."""

    device_id: str
    source: str

    @property
    def signature(self) -> str:
        """How the audit log names the device."""
        return f"device {self.device_id}"


@dataclass(frozen=True)
class Operator:
    """The holder of a token.

    Attributes:
        token_id: The token's id, which is no secret.
        name: Whose it is.
        group_ids: The groups it is confined to; empty for the whole fleet.
        source: The address the request came from.
    """

    token_id: str
    name: str
    role: Role
    group_ids: frozenset[str]
    source: str

    @property
    def signature(self) -> str:
        """How the audit log names the operator."""
        return f"{self.name} ({self.token_id})"

    @property
    def is_confined(self) -> bool:
        """Whether it may deal with some groups only."""
        return bool(self.group_ids)

    @property
    def scope(self) -> frozenset[str] | None:
        """The ids of the groups it may deal with; None for the whole fleet."""
        return self.group_ids or None

    def require_group(self, group_id: str | None, name: str) -> None:
        """Let pass only what concerns a group of the operator's.

        Raises:
            TrustError: It does not.
        """
        if self.is_confined and group_id not in self.group_ids:
            raise TrustError(ErrorCode.FORBIDDEN, place=name, detail="the token is confined to other groups")

    def require_device(self, session: Session, device_id: str) -> None:
        """Let pass only what concerns a device in a group of the operator's.

        Raises:
            TrustError: It does not.
        """
        if self.is_confined and device_id not in self.devices(session):
            raise TrustError(ErrorCode.FORBIDDEN, place=device_id, detail="the token is confined to other groups")

    def devices(self, session: Session) -> Collection[str]:
        """The ids of the devices in the operator's groups; for a confined one only."""
        members = select(GroupMember.device_id).where(GroupMember.group_id.in_(self.group_ids))
        return set(session.scalars(members))


def on_this_machine(role: Role) -> Operator:
    """Whoever runs `outrider-control`: they can read the key files and need no token."""
    return Operator(token_id="local", name="outrider-control", role=role, group_ids=frozenset(), source="local")  # noqa: S106  an id
