"""Alembic's entry: runs migrations on the connection that `control.database.migrate` opened."""

from typing import Literal

from alembic import context
from sqlalchemy import TypeDecorator

from control.database.tables import Base


def _plain_type(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Migrations name plain types: they must outlive the classes of today."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    render_item=_plain_type,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
