"""How the agent's commands print errors and results, and which exit status they end with."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from contract.errors import OutriderError
from contract.exit_statuses import ExitStatus


@contextmanager
def handled(*, as_json: bool = False) -> Iterator[None]:
    """End the command with a printed error and its exit status where the block raises an `OutriderError`."""
    try:
        yield
    except OutriderError as error:
        text = json.dumps({"error": error.fields()}, ensure_ascii=False) if as_json else _text(error)
        sys.stderr.write(f"{text}\n")
        raise SystemExit(error.exit_status) from None
    except KeyboardInterrupt:
        raise SystemExit(ExitStatus.INTERRUPTED) from None


def show(facts: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """The same facts for scripts or for people."""
    text = json.dumps(facts, ensure_ascii=False) if as_json else text
    sys.stdout.write(f"{text}\n")
    # A pipe that nobody reads any more is noticed here, where it is still answered with a status.
    sys.stdout.flush()


def _text(error: OutriderError) -> str:
    lines = [f"Error: {error.code.sentence}"]
    lines += [f"  {line}" for line in (error.place, error.detail) if line]
    return "\n".join([*lines, f"Hint: {error.code.hint}"])
