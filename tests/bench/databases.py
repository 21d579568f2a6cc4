"""New and empty databases of both kinds, each with its own folder or server."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, TypeAlias

from tests.support.postgresql_package import postgresql_package

#: Opens a database that goes away at the end of the block; gives its address.
Opened: TypeAlias = Callable[[], AbstractContextManager[str]]


@contextmanager
def sqlite() -> Iterator[str]:
    """A file."""
    with tempfile.TemporaryDirectory(prefix="outrider-bench-") as folder:
        yield f"sqlite:///{Path(folder) / 'control.db'}"


@contextmanager
def postgresql() -> Iterator[str]:
    """A server."""
    with (
        tempfile.TemporaryDirectory(prefix="outrider-postgresql-") as folder,
        postgresql_package().get_server(folder, cleanup_mode="stop") as server,
    ):
        yield server.get_uri()


DATABASES: Final[dict[str, Opened]] = {"SQLite": sqlite, "PostgreSQL": postgresql}


def for_whole_sites(*, quick: bool) -> dict[str, Opened]:
    """Both; SQLite alone in a short run, where starting a site on each would take longer than measuring."""
    return {"SQLite": sqlite} if quick else DATABASES
