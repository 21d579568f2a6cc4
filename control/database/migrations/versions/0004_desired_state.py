"""Groups, filters, assignments, relations."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_LIVE_STATES = ("planned", "sent", "running", "waiting", "cancelling", "held")


def upgrade() -> None:
    _add_filters()
    _add_to_groups_and_devices()
    _add_to_assignments()
    _add_to_catalog()
    _add_to_jobs()
    _add_app_requests()


def downgrade() -> None:
    op.drop_table("app_requests")
    _take_from_jobs()
    _take_from_catalog()
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


def _add_to_catalog() -> None:
    op.add_column("apps", sa.Column("pinned_revision", sa.Integer(), nullable=True))
    op.add_column("revisions", sa.Column("copied_from", sa.Integer(), nullable=True))
    op.create_table(
        "relations",
        sa.Column("app_id", sa.String(36), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("related_app_id", sa.String(36), nullable=False),
        sa.Column("mode", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id", "revision"], ["revisions.app_id", "revisions.number"], name="fk_relations_app_id_revision"
        ),
        sa.ForeignKeyConstraint(["related_app_id"], ["apps.id"], name="fk_relations_related_app_id"),
        sa.PrimaryKeyConstraint("app_id", "revision", "related_app_id", name="pk_relations"),
    )
    op.create_index("ix_relations_related_app_id", "relations", ["related_app_id"])
    op.create_table(
        "delivery_settings",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_delivery_settings"),
    )
    with op.batch_alter_table("policies", schema=None) as batch_op:
        batch_op.add_column(sa.Column("settings_digest", sa.String(64), nullable=False))
        batch_op.drop_constraint("pk_policies", type_="primary")
        batch_op.create_primary_key("pk_policies", ["app_id", "revision", "intent", "settings_digest"])


def _take_from_catalog() -> None:
    with op.batch_alter_table("policies", schema=None) as batch_op:
        batch_op.drop_constraint("pk_policies", type_="primary")
        batch_op.create_primary_key("pk_policies", ["app_id", "revision", "intent"])
        batch_op.drop_column("settings_digest")
    op.drop_table("delivery_settings")
    op.drop_table("relations")
    op.drop_column("revisions", "copied_from")
    op.drop_column("apps", "pinned_revision")


def _add_to_jobs() -> None:
    op.add_column("jobs", sa.Column("settings_digest", sa.String(64), nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("evaluates_only", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("jobs", sa.Column("for_app_id", sa.String(36), nullable=True))
    op.add_column("jobs", sa.Column("waits_for_app_id", sa.String(36), nullable=True))
    _index_live_jobs(_LIVE_STATES)


def _take_from_jobs() -> None:
    _index_live_jobs(_LIVE_STATES[:-1])
    for column in ("waits_for_app_id", "for_app_id", "evaluates_only", "settings_digest"):
        op.drop_column("jobs", column)


def _add_app_requests() -> None:
    op.create_table(
        "app_requests",
        sa.Column("device_id", sa.String(36), nullable=False),
        sa.Column("app_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name="fk_app_requests_device_id_devices"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_app_requests_app_id_apps"),
        sa.PrimaryKeyConstraint("device_id", "app_id", name="pk_app_requests"),
    )


def _index_live_jobs(states: tuple[str, ...]) -> None:
    alive = sa.text(f"state IN ({', '.join(repr(state) for state in states)})")
    op.drop_index("uq_jobs_live", table_name="jobs")
    op.create_index(
        "uq_jobs_live", "jobs", ["device_id", "app_id"], unique=True, sqlite_where=alive, postgresql_where=alive
    )
