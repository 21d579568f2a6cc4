"""Secrets that installers are given."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secrets")),
    )
    op.create_table(
        "revision_secrets",
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("secret", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id", "revision"],
            ["revisions.app_id", "revisions.number"],
            name=op.f("fk_revision_secrets_app_id"),
        ),
        sa.PrimaryKeyConstraint("app_id", "revision", "secret", name=op.f("pk_revision_secrets")),
    )
    op.create_index(op.f("ix_revision_secrets_secret"), "revision_secrets", ["secret"])


def downgrade() -> None:
    op.drop_index(op.f("ix_revision_secrets_secret"), table_name="revision_secrets")
    op.drop_table("revision_secrets")
    op.drop_table("secrets")
