"""What the API remembers of requests."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Answers that are kept for whoever asks the same again; when each job last changed; whom to call; counters."""
    op.create_table(
        "kept_answers",
        sa.Column("key_digest", sa.String(length=64), nullable=False),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_digest", name=op.f("pk_kept_answers")),
    )
    op.create_index(op.f("ix_kept_answers_begun_at"), "kept_answers", ["begun_at"])
    op.create_table(
        "calls",
        sa.Column("device_id", sa.String(length=36), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_calls_device_id")),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_calls")),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.add_column("jobs", sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_jobs_changed", "jobs", ["changed_at", "id"])
    op.add_column("reports", sa.Column("error_code", sa.String(length=200), nullable=True))
    op.add_column("reports", sa.Column("error_number", sa.BigInteger(), nullable=True))
    op.add_column("reports", sa.Column("error_phase", sa.String(length=40), nullable=True))
    went_wrong = sa.text("error_code IS NOT NULL")
    op.create_index("ix_reports_error", "reports", ["job_id"], sqlite_where=went_wrong, postgresql_where=went_wrong)


def downgrade() -> None:
    """Forget them."""
    op.drop_index("ix_reports_error", "reports")
    for name in ("error_phase", "error_number", "error_code"):
        op.drop_column("reports", name)
    op.drop_index("ix_jobs_changed", "jobs")
    op.drop_column("jobs", "changed_at")
    op.drop_table("counters")
    op.drop_table("calls")
    op.drop_table("kept_answers")
