"""Keys and who may sign; what devices refused."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.add_column(sa.Column("refused_messages", sa.BigInteger(), nullable=False))
        batch_op.add_column(sa.Column("refused_messages_told", sa.BigInteger(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.drop_column("refused_messages_told")
        batch_op.drop_column("refused_messages")
