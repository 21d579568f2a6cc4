"""How the agent's commands print errors and results, and which exit status they end with."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import typer

from contract.errors import OutriderError
from contract.exit_statuses import ExitStatus


@contextmanager
def handled(*, as_json: bool = False) -> Iterator[None]:
    """End the command with a printed error and its exit status where the block raises an `OutriderError`."""
    try:
        yield
    except OutriderError as error:
        text = json.dumps({"error": error.fields()}, ensure_ascii=False) if as_json else _text(error)
        typer.echo(text, err=True)
        raise typer.Exit(error.exit_status) from None
    except KeyboardInterrupt:
        raise typer.Exit(ExitStatus.INTERRUPTED) from None


def show(facts: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """The same facts for scripts or for people."""
    typer.echo(json.dumps(facts, ensure_ascii=False) if as_json else text)


def _text(error: OutriderError) -> str:
    lines = [f"Error: {error.code.sentence}"]
    lines += [f"  {line}" for line in (error.place, error.detail) if line]
    return "\n".join([*lines, f"Hint: {error.code.hint}"])
