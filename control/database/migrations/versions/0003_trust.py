"""Keys and who may sign; tokens to enrol with by id; who is shut out of the broker; what devices refused."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trusted_keys",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_trusted_keys")),
    )
    op.create_table(
        "unsaved_broker_users",
        sa.Column("device_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_unsaved_broker_users_device_id")),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_unsaved_broker_users")),
    )
    with op.batch_alter_table("policies", schema=None) as batch_op:
        batch_op.add_column(sa.Column("trusted_keys_version", sa.Integer(), nullable=False))
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.add_column(sa.Column("refused_messages", sa.BigInteger(), nullable=False))
        batch_op.add_column(sa.Column("refused_messages_told", sa.BigInteger(), nullable=False))
        batch_op.add_column(sa.Column("cut_off_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index("ix_devices_retired_at", ["retired_at"])
    # Tokens live for hours: those of before are void.
    op.drop_table("enrollment_tokens")
    _create_tokens(
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrollment_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_enrollment_tokens_token_hash")),
    )


def downgrade() -> None:
    op.drop_table("unsaved_broker_users")
    op.drop_table("enrollment_tokens")
    _create_tokens(sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_enrollment_tokens")))
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.drop_index("ix_devices_retired_at")
        batch_op.drop_column("cut_off_at")
        batch_op.drop_column("refused_messages_told")
        batch_op.drop_column("refused_messages")
    with op.batch_alter_table("policies", schema=None) as batch_op:
        batch_op.drop_column("trusted_keys_version")
    op.drop_table("trusted_keys")


def _create_tokens(*more: sa.schema.SchemaItem) -> None:
    op.create_table(
        "enrollment_tokens",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("group_id", sa.String(length=36), nullable=True),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("replaces", sa.String(length=36), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_enrollment_tokens_group_id")),
        sa.ForeignKeyConstraint(["replaces"], ["devices.id"], name=op.f("fk_enrollment_tokens_replaces")),
        *more,
    )
