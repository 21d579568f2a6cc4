"""Bring a database to the schema this version needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from control.database.session import Database

_MIGRATIONS = Path(__file__).with_name("migrations")


def upgrade(database: Database) -> None:
    """Run all migrations that are missing, in one transaction; doing it again changes nothing."""
    with database.transaction() as session:
        config = alembic_config()
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "head")


def alembic_config() -> Config:
    """Alembic's configuration: where the migrations are."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
