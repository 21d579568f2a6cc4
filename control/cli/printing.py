"""Print answers: JSON for programs, tables and lines for people."""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Final, TypeVar

import typer
from pydantic import BaseModel
from rich.console import Console, RenderableType
from rich.live import Live

from control.cli.output import json_text, print_json
from control.client.requests import Tagged

RowT = TypeVar("RowT")
ViewT = TypeVar("ViewT", bound=BaseModel)

#: Rows of one table; its columns are as wide as its own rows need.
_TABLE_ROWS: Final = 1000


def print_views(views: BaseModel | Iterable[BaseModel]) -> None:
    """Print a view, or a list of them as it comes, as one JSON document."""
    if isinstance(views, BaseModel):
        print_json(views.model_dump(mode="json"))
        return
    written = False
    for view in views:
        typer.echo(",\n" if written else "[\n", nl=False)
        typer.echo(textwrap.indent(json_text(view.model_dump(mode="json")), "  "), nl=False)
        written = True
    typer.echo("\n]" if written else "[]")


def print_tagged(found: Tagged[ViewT]) -> None:
    """Print a thing as JSON, with the `etag` that `--if-match` takes."""
    print_json({**found.view.model_dump(mode="json"), "etag": found.tag})


def print_tables(rows: Iterable[RowT], table: Callable[[Sequence[RowT]], RenderableType]) -> None:
    """Print a list for people as it comes: one table, or many where the list is long."""
    rest = iter(rows)
    print_table(table(list(islice(rest, _TABLE_ROWS))))
    while batch := list(islice(rest, _TABLE_ROWS)):
        print_table(table(batch))


def print_table(table: RenderableType) -> None:
    """Print for people: as wide as the terminal."""
    console().print(table)


@contextmanager
def live() -> Iterator[Live]:
    """What changes in place on a terminal; anywhere else only its last state is printed."""
    shown_on = console()
    with Live(console=shown_on, auto_refresh=False) as shown:
        yield shown
    if not shown_on.is_terminal:
        # On a terminal the library ends the line itself.
        shown_on.line()


def console() -> Console:
    """Standard output for people; names may hold brackets and colons that mean nothing here."""
    return Console(markup=False, emoji=False, highlight=False)
