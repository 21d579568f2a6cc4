"""How every command prints errors and JSON, and which exit status it ends with."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import typer

from contract.errors import OutriderError
from contract.exit_statuses import ExitStatus
from contract.printable import printable


@contextmanager
def handled(*, as_json: bool = False) -> Iterator[None]:
    """End the command with a printed error and its exit status where the block raises an `OutriderError`.

    Ctrl-C ends it with `INTERRUPTED`; a reader that went away, such as `head`, ends it quietly.
    """
    try:
        yield
    except OutriderError as error:
        fail(error, as_json=as_json)
    except KeyboardInterrupt:
        raise typer.Exit(ExitStatus.INTERRUPTED) from None
    except BrokenPipeError:
        # The interpreter would complain when it flushes the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(ExitStatus.OK) from None


def fail(error: OutriderError, *, as_json: bool) -> NoReturn:
    """Print the error on standard error and end the command with the error's exit status."""
    if as_json:
        print_json({"error": error.fields()}, to_stderr=True)
    else:
        typer.echo(error_text(error), err=True)
    raise typer.Exit(error.exit_status)


def error_text(error: OutriderError) -> str:
    """The error for a person: the sentence, then place, detail and hint, each in a line of its own."""
    lines = [f"Error: {error.code.sentence}"]
    lines += [f"  {printable(line)}" for line in (error.place, *error.detail.splitlines()) if line]
    return "\n".join([*lines, f"Hint: {error.code.hint}"])


def say(text: str, facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what was done: a sentence for people, or the same as one JSON document."""
    if as_json:
        print_json(facts)
    else:
        typer.echo("\n".join(map(printable, text.splitlines())))


def print_json(value: Any, *, to_stderr: bool = False) -> None:
    """Print one JSON document; what JSON has no word for is printed as text."""
    typer.echo(json_text(value), err=to_stderr)


def json_text(value: Any) -> str:
    """The value as a JSON document that people can read, too."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
