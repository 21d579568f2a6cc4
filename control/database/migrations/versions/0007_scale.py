"""Hot paths of large fleets."""

import sqlalchemy as sa
from alembic import op

from control.database.tables.job_place import HAS_MOVED

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INDEXES = {
    "uq_jobs_newest": ["device_id", "app_id"],
    "ix_jobs_newest_app": ["app_id", "state", "outcome"],
    "ix_jobs_newest_state": ["state", "next_action_reason"],
}
_OF_FAILED = {
    "ix_jobs_error": ["error_code", "app_id"],
    "ix_jobs_tallied_error": ["app_id", "tallied_as", "error_code", "device_id"],
}

_WORD = sa.String(40)


def _add_tallies() -> None:
    op.create_table(
        "job_tallies",
        sa.Column("app_id", sa.String(36), sa.ForeignKey("apps.id", name="fk_job_tallies_app_id"), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("outcome", _WORD),
        sa.Column("next_action_reason", _WORD),
        sa.Column("phase", _WORD),
        sa.Column("error_number", sa.BigInteger()),
        sa.Column("error_code", sa.String(200)),
        sa.Column("jobs", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("app_id", "place", name="pk_job_tallies"),
    )
    op.add_column("jobs", sa.Column("tallied_as", sa.Text(), nullable=False, server_default=""))
    moved = sa.text(HAS_MOVED)
    op.create_index("ix_jobs_moved", "jobs", ["id"], sqlite_where=moved, postgresql_where=moved)
    failed = sa.text("error_code IS NOT NULL")
    for name, columns in _OF_FAILED.items():
        op.create_index(name, "jobs", columns, sqlite_where=failed, postgresql_where=failed)


def _add_group_tallies() -> None:
    op.create_table(
        "group_tallies",
        sa.Column("group_id", sa.String(36), sa.ForeignKey("groups.id", name="fk_group_tallies_group_id")),
        sa.Column("app_id", sa.String(36), sa.ForeignKey("apps.id", name="fk_group_tallies_app_id")),
        sa.Column("place", sa.Text()),
        sa.Column("jobs", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "app_id", "place", name="pk_group_tallies"),
    )
    op.add_column("group_members", sa.Column("is_tallied", sa.Boolean(), nullable=False, server_default=sa.false()))
    untallied = sa.text("is_tallied = 0") if op.get_bind().dialect.name == "sqlite" else sa.text("NOT is_tallied")
    op.create_index(
        "ix_group_members_untallied",
        "group_members",
        ["group_id", "device_id"],
        sqlite_where=untallied,
        postgresql_where=untallied,
    )


def _drop_group_tallies() -> None:
    op.drop_index("ix_group_members_untallied", "group_members")
    op.drop_column("group_members", "is_tallied")
    op.drop_table("group_tallies")


def _add_rollout_tallies() -> None:
    op.create_table(
        "rollout_tallies",
        sa.Column("rollout_id", sa.String(36), sa.ForeignKey("rollouts.id", name="fk_rollout_tallies_rollout_id")),
        sa.Column("app_id", sa.String(36), sa.ForeignKey("apps.id", name="fk_rollout_tallies_app_id")),
        sa.Column("place", sa.Text()),
        sa.Column("jobs", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("rollout_id", "app_id", "place", name="pk_rollout_tallies"),
    )
    op.add_column("rollouts", sa.Column("is_tallied", sa.Boolean(), nullable=False, server_default=sa.false()))


def _drop_rollout_tallies() -> None:
    op.drop_column("rollouts", "is_tallied")
    op.drop_table("rollout_tallies")


def _drop_tallies() -> None:
    for name in _OF_FAILED:
        op.drop_index(name, "jobs")
    op.drop_index("ix_jobs_moved", "jobs")
    op.drop_column("jobs", "tallied_as")
    op.drop_table("job_tallies")


def _add_archive() -> None:
    device = sa.ForeignKey("devices.id", name="fk_archived_jobs_device_id")
    op.create_table(
        "archived_jobs",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("device_id", sa.String(36), device, nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_archived_jobs"),
    )
    op.create_index("ix_archived_jobs_device_id", "archived_jobs", ["device_id"])
    op.create_index("ix_archived_jobs_replaced", "archived_jobs", ["replaced_at", "id"])
    replaced = sa.text("is_newest = 0") if op.get_bind().dialect.name == "sqlite" else sa.text("NOT is_newest")
    op.create_index("ix_jobs_replaced", "jobs", ["changed_at", "id"], sqlite_where=replaced, postgresql_where=replaced)


def _drop_archive() -> None:
    op.drop_index("ix_jobs_replaced", "jobs")
    op.drop_table("archived_jobs")


def _add_planning() -> None:
    op.create_table(
        "planning",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wanted", sa.String(64), nullable=False),
        sa.Column("looked_at_until", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_planning"),
    )


def upgrade() -> None:
    """Which job is the newest of its device and app is kept; what lists and counts look at is indexed."""
    op.add_column("jobs", sa.Column("is_newest", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name, columns in _INDEXES.items():
        of_newest = sa.text("is_newest = 1") if op.get_bind().dialect.name == "sqlite" else sa.text("is_newest")
        op.create_index(
            name, "jobs", columns, unique=name.startswith("uq_"), sqlite_where=of_newest, postgresql_where=of_newest
        )
    # The newest jobs of an app are found by an index of their own.
    op.drop_index("ix_jobs_app", "jobs")
    op.drop_index("ix_devices_name", "devices")
    op.create_index("ix_devices_name", "devices", ["name", "id"])
    if op.get_bind().dialect.name == "sqlite":
        op.create_index("ix_devices_seen", "devices", ["id", "last_seen_at"])
    _add_tallies()
    _add_planning()
    _add_group_tallies()
    _add_rollout_tallies()
    _add_archive()


def downgrade() -> None:
    """Forget it."""
    op.drop_table("planning")
    _drop_archive()
    _drop_rollout_tallies()
    _drop_group_tallies()
    _drop_tallies()
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index("ix_devices_seen", "devices")
    op.drop_index("ix_devices_name", "devices")
    op.create_index("ix_devices_name", "devices", ["name"])
    op.create_index("ix_jobs_app", "jobs", ["app_id"])
    for name in _INDEXES:
        op.drop_index(name, "jobs")
    op.drop_column("jobs", "is_newest")
