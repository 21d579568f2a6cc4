"""What the commands print."""

import json
from collections.abc import Mapping
from typing import Any

import typer

from contract.errors import OutriderError


def show_error(error: OutriderError) -> None:
    """One sentence and a hint on stderr."""
    typer.echo(f"error: {error}", err=True)
    typer.echo(f"hint: {error.code.hint}", err=True)


def show(facts: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """The same facts for scripts or for people."""
    typer.echo(json.dumps(facts, ensure_ascii=False) if as_json else text)
