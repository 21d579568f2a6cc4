"""Secrets for installers: what is said of them, never what they are."""

from datetime import datetime

from pydantic import Field

from contract.installer_secrets import SecretValue
from control.views.base import Request, View


class SecretRequest(Request):
    """A secret's new value."""

    value: SecretValue = Field(repr=False)


class SecretView(View):
    """A secret, without itself.

    Attributes:
        version: Raised whenever it is set.
        used_by: The apps whose newest or pinned revision asks for it.
    """

    name: str
    version: int
    created_at: datetime
    changed_at: datetime
    used_by: tuple[str, ...]
