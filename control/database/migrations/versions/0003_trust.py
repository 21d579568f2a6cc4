"""Keys and who may sign; what devices refused."""

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
    with op.batch_alter_table("policies", schema=None) as batch_op:
        batch_op.add_column(sa.Column("trusted_keys_version", sa.Integer(), nullable=False))
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.add_column(sa.Column("refused_messages", sa.BigInteger(), nullable=False))
        batch_op.add_column(sa.Column("refused_messages_told", sa.BigInteger(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.drop_column("refused_messages_told")
        batch_op.drop_column("refused_messages")
    with op.batch_alter_table("policies", schema=None) as batch_op:
        batch_op.drop_column("trusted_keys_version")
    op.drop_table("trusted_keys")
