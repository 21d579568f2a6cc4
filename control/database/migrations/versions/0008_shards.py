"""Several brokers."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """At which broker each device listens, where it is to go, and where it was."""
    op.add_column("devices", sa.Column("broker_shard", sa.String(length=200), nullable=False, server_default="first"))
    op.add_column("devices", sa.Column("next_shard", sa.String(length=200), nullable=True))
    op.add_column("devices", sa.Column("left_shard", sa.String(length=200), nullable=True))
    op.add_column("devices", sa.Column("left_shard_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_devices_broker_shard", "devices", ["broker_shard"])
    for column in ("next_shard", "left_shard"):
        known = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_devices_{column}", "devices", [column], sqlite_where=known, postgresql_where=known)


def downgrade() -> None:
    """Forget it."""
    for column in ("left_shard", "next_shard", "broker_shard"):
        op.drop_index(f"ix_devices_{column}", "devices")
    with op.batch_alter_table("devices") as devices:
        for column in ("left_shard_at", "left_shard", "next_shard", "broker_shard"):
            devices.drop_column(column)
