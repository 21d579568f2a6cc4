"""Who may do what: tokens of operators and tokens to enrol with. Only their hashes are kept."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from control.database.tables.base import Base, Digest, Id, LongText, Name
from control.database.types import WordColumn
from control.roles import Role


class OperatorToken(Base):
    """A bearer token of the operator's API.

    Attributes:
        group_ids: The groups it is confined to; empty for the whole fleet.
    """

    __tablename__ = "operator_tokens"

    id: Mapped[Id] = mapped_column(primary_key=True)
    token_hash: Mapped[Digest] = mapped_column(unique=True)
    name: Mapped[Name]
    role: Mapped[Role] = mapped_column(WordColumn(Role))
    group_ids: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class EnrollmentToken(Base):
    """A token devices enrol with.

    Attributes:
        site: Where the devices stand that enrol with it.
        created_by: Whose word it is, as the audit log names them.
    """

    __tablename__ = "enrollment_tokens"

    id: Mapped[Id] = mapped_column(primary_key=True)
    token_hash: Mapped[Digest] = mapped_column(unique=True)
    group_id: Mapped[Id | None] = mapped_column(ForeignKey("groups.id"))
    site: Mapped[Name | None]
    uses_left: Mapped[int]
    replaces: Mapped[Id | None] = mapped_column(ForeignKey("devices.id"))
    created_by: Mapped[LongText]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
