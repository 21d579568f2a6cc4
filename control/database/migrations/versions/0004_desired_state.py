"""Groups, filters, assignments, relations."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _add_filters()
    _add_to_groups_and_devices()
    _add_to_assignments()


def downgrade() -> None:
    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.drop_index("ix_assignments_filter_id")
        batch_op.drop_constraint("fk_assignments_filter_id_filters", type_="foreignkey")
        for column in ("settings", "time_basis", "deadline_at", "start_at", "filter_mode", "filter_id", "mode"):
            batch_op.drop_column(column)
    with op.batch_alter_table("enrollment_tokens", schema=None) as batch_op:
        batch_op.drop_column("site")
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.drop_column("site")
    with op.batch_alter_table("groups", schema=None) as batch_op:
        batch_op.drop_column("rule")
    op.drop_table("filters")


def _add_filters() -> None:
    op.create_table(
        "filters",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_filters"),
        sa.UniqueConstraint("name", name="uq_filters_name"),
    )


def _add_to_groups_and_devices() -> None:
    with op.batch_alter_table("groups", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rule", sa.Text(), nullable=True))
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.add_column(sa.Column("site", sa.String(200), nullable=True))
    with op.batch_alter_table("enrollment_tokens", schema=None) as batch_op:
        batch_op.add_column(sa.Column("site", sa.String(200), nullable=True))


def _add_to_assignments() -> None:
    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("mode", sa.String(40), nullable=False))
        batch_op.add_column(sa.Column("filter_id", sa.String(36), nullable=True))
        batch_op.add_column(sa.Column("filter_mode", sa.String(40), nullable=True))
        batch_op.add_column(sa.Column("start_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("time_basis", sa.String(40), nullable=False))
        batch_op.add_column(sa.Column("settings", sa.JSON(), nullable=False))
        batch_op.create_foreign_key("fk_assignments_filter_id_filters", "filters", ["filter_id"], ["id"])
        batch_op.create_index("ix_assignments_filter_id", ["filter_id"])
