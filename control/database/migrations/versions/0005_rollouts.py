"""Rollouts: their rings, the devices in them, and what happened."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES = ("rollouts", "rollout_rings", "rollout_devices", "rollout_events")
_IS_IN_IT = sa.text("left_at IS NULL")
_ACTIVE = sa.text("state IN ('draft', 'running', 'paused', 'halted', 'rolling-back')")


def upgrade() -> None:
    op.create_table(
        "rollouts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("baseline", sa.Integer(), nullable=True),
        sa.Column("rollback_revision", sa.Integer(), nullable=True),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True)),
        sa.Column("seen_members", sa.String(64), nullable=False),
        sa.Column("seen_progress", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name=op.f("fk_rollouts_app_id")),
        sa.ForeignKeyConstraint(
            ["app_id", "revision"], ["revisions.app_id", "revisions.number"], name=op.f("fk_rollouts_app_id_revision")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollouts")),
        sa.UniqueConstraint("name", name=op.f("uq_rollouts_name")),
    )
    op.create_index(
        "uq_rollouts_active", "rollouts", ["app_id"], unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE
    )
    op.create_index("ix_rollouts_created", "rollouts", ["created_at", "id"])
    _create_parts()


def _create_parts() -> None:
    op.create_table(
        "rollout_rings",
        sa.Column("rollout_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("soak_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("passed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_failures", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollouts.id"], name=op.f("fk_rollout_rings_rollout_id")),
        sa.PrimaryKeyConstraint("rollout_id", "number", name=op.f("pk_rollout_rings")),
    )
    op.create_table(
        "rollout_devices",
        sa.Column("rollout_id", sa.String(length=36), nullable=False),
        sa.Column("device_id", sa.String(length=36), nullable=False),
        sa.Column("ring", sa.Integer(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("admitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_revision", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollouts.id"], name=op.f("fk_rollout_devices_rollout_id")),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_rollout_devices_device_id")),
        sa.PrimaryKeyConstraint("rollout_id", "device_id", name=op.f("pk_rollout_devices")),
    )
    op.create_index(op.f("ix_rollout_devices_device_id"), "rollout_devices", ["device_id"])
    op.create_index(
        "ix_rollout_devices_standing",
        "rollout_devices",
        ["rollout_id", "done_revision", "ring", "admitted_at", "device_id"],
        sqlite_where=_IS_IN_IT,
        postgresql_where=_IS_IN_IT,
    )
    op.create_table(
        "rollout_events",
        sa.Column("rollout_id", sa.String(length=36), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("what", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollouts.id"], name=op.f("fk_rollout_events_rollout_id")),
        sa.PrimaryKeyConstraint("rollout_id", "sequence", name=op.f("pk_rollout_events")),
    )


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
