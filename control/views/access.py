"""Tokens of operators, and tokens to enrol with."""

from datetime import datetime
from typing import Final

from pydantic import Field

from control.roles import Role
from control.views.base import Request, View

#: How many devices one token may enrol, and for how long it may be good.
MAX_TOKEN_USES: Final = 1_000_000
MAX_TOKEN_LIFETIME_SECONDS: Final = 365 * 86_400


class EnrollmentTokenRequest(Request):
    """A token for devices to enrol with."""

    group: str | None = None
    site: str | None = Field(default=None, min_length=1, max_length=200)
    uses: int = Field(default=1, ge=1, le=MAX_TOKEN_USES)
    lifetime_seconds: float = Field(default=3600, gt=0, le=MAX_TOKEN_LIFETIME_SECONDS)


class EnrollmentTokenView(View):
    """A new token; it cannot be shown again."""

    id: str
    token: str = Field(repr=False)
    group: str | None
    uses: int
    expires_at: datetime
    url: str


class KnownEnrollmentTokenView(View):
    """A token to enrol with, without itself.

    Attributes:
        uses_left: How many more devices may enrol with it.
        replaces: The id of the device whose place the new one takes.
        created_by: Whose word it is, as the audit log names them.
    """

    id: str
    group: str | None
    site: str | None
    uses_left: int
    replaces: str | None
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class OperatorTokenRequest(Request):
    """A token for an operator.

    Attributes:
        groups: Names of the groups it is confined to; none for the whole fleet.
        lifetime_seconds: None for a token that does not expire.
    """

    name: str = Field(min_length=1, max_length=100)
    role: Role = Role.VIEWER
    groups: tuple[str, ...] = ()
    lifetime_seconds: float | None = Field(default=30 * 86_400, gt=0, le=MAX_TOKEN_LIFETIME_SECONDS)


class OperatorTokenView(View):
    """An operator's token, without itself."""

    id: str
    name: str
    role: Role
    groups: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class NewOperatorTokenView(OperatorTokenView):
    """A new token; it cannot be shown again."""

    token: str = Field(repr=False)
