"""Hot paths of large fleets."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INDEXES = {
    "uq_jobs_newest": ["device_id", "app_id"],
    "ix_jobs_newest_app": ["app_id", "state", "outcome", "next_action_reason", "cancel_reason", "revision"],
    "ix_jobs_newest_state": ["state", "outcome", "next_action_reason", "cancel_reason"],
    "ix_jobs_newest_error": ["error_code", "app_id"],
}


def upgrade() -> None:
    """Which job is the newest of its device and app is kept; what lists and counts look at is indexed."""
    op.add_column("jobs", sa.Column("is_newest", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name, columns in _INDEXES.items():
        of_newest = sa.text("is_newest = 1") if op.get_bind().dialect.name == "sqlite" else sa.text("is_newest")
        op.create_index(
            name, "jobs", columns, unique=name.startswith("uq_"), sqlite_where=of_newest, postgresql_where=of_newest
        )
    op.drop_index("ix_devices_name", "devices")
    op.create_index("ix_devices_name", "devices", ["name", "id"])


def downgrade() -> None:
    """Forget it."""
    op.drop_index("ix_devices_name", "devices")
    op.create_index("ix_devices_name", "devices", ["name"])
    for name in _INDEXES:
        op.drop_index(name, "jobs")
    op.drop_column("jobs", "is_newest")
