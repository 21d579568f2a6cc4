"""The random secrets of one stack."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from deploy.local.broker_rules import BrokerUser
from deploy.local.files import write_private

_SECRET_BYTES = 24


def _fresh() -> str:
    return secrets.token_urlsafe(_SECRET_BYTES)


class StackSecrets(BaseModel):
    """What the stack's own parts prove themselves with; made once, kept in a file of mode 0600.

    Attributes:
        broker: The broker passwords of the control plane's parts.
        store_key: The secret key of the content store's user.
        store_hash_suffix: Mixed into the content store's path hashes; losing it loses the content.
        dashboard: What people log in to Flower with.
    """

    model_config = ConfigDict(frozen=True)

    broker: Mapping[BrokerUser, str] = Field(
        default_factory=lambda: {user: _fresh() for user in BrokerUser}, repr=False
    )
    store_key: str = Field(default_factory=_fresh, repr=False)
    store_hash_suffix: str = Field(default_factory=_fresh, repr=False)
    dashboard: str = Field(default_factory=_fresh, repr=False)

    @classmethod
    def load_or_make(cls, path: Path) -> Self:
        """The secrets in `path`; made and kept there if there are none yet."""
        if path.exists():
            return cls.model_validate_json(path.read_bytes())
        made = cls()
        write_private(path, made.model_dump_json(indent=2))
        return made
