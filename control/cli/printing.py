"""Print answers: JSON for programs, tables and lines for people."""

from collections.abc import Sequence

from pydantic import BaseModel
from rich.console import Console, RenderableType

from control.cli.output import print_json


def print_views(views: BaseModel | Sequence[BaseModel]) -> None:
    """Print a view, or a list of them, as one JSON document."""
    if isinstance(views, BaseModel):
        print_json(views.model_dump(mode="json"))
    else:
        print_json([view.model_dump(mode="json") for view in views])


def print_table(table: RenderableType) -> None:
    """Print for people: as wide as the terminal."""
    console().print(table)


def console() -> Console:
    """Standard output for people; names may hold brackets and colons that mean nothing here."""
    return Console(markup=False, emoji=False, highlight=False)
