"""All commands of a program."""

from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


def commands(app: typer.Typer) -> Iterator[tuple[str, TyperCommand]]:
    """Each with what is typed for it."""
    return _below(typer.main.get_command(app), ())


def _below(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield from _below(child, (*path, name))
    else:
        yield " ".join(path), command
