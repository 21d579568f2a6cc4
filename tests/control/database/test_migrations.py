"""Migrations make exactly the tables that the models describe, on both databases."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from control.database.migrate import alembic_config, upgrade
from control.database.session import Database
from control.database.tables import Base
from tests.control.plane import Plane


def test_models_and_migrations_agree(either_plane: Plane) -> None:
    with either_plane.services.database.transaction() as session:
        dialect = session.get_bind().dialect.name
        # Some indexes are there for one of the databases only.
        options = {
            "compare_type": True,
            "include_object": lambda thing, *_: thing.info.get("dialect", dialect) == dialect,
        }
        context = MigrationContext.configure(session.connection(), opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_the_index_that_allows_one_live_job_is_partial(either_plane: Plane) -> None:
    with either_plane.services.database.snapshot() as session:
        indexes = {index["name"]: index for index in inspect(session.connection()).get_indexes("jobs")}
    options = indexes["uq_jobs_live"]["dialect_options"]
    (condition,) = [str(value) for name, value in options.items() if name.endswith("_where")]
    assert all(state in condition for state in ("planned", "sent", "running", "waiting"))
    assert "finished" not in condition


def test_migrating_again_changes_nothing(either_plane: Plane) -> None:
    either_plane.publish()
    upgrade(either_plane.services.database)
    assert either_plane.app_id()


def test_a_database_without_tables_is_migrated_whole(tmp_path: Path) -> None:
    database = Database.at(f"sqlite:///{tmp_path}/new.db")
    upgrade(database)
    with database.snapshot() as session:
        assert {"jobs", "outbox", "alembic_version"} <= set(inspect(session.connection()).get_table_names())
    database.close()


def test_each_migration_can_be_taken_back(either_plane: Plane) -> None:
    config = alembic_config()
    with either_plane.services.database.transaction() as session:
        config.attributes["connection"] = session.connection()
        command.downgrade(config, "base")
    with either_plane.services.database.snapshot() as session:
        assert inspect(session.connection()).get_table_names() == ["alembic_version"]
