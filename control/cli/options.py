"""Options that several commands share, and the line that ends every help text."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer

from contract.states import Intent

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

IfMatch = Annotated[
    str | None,
    typer.Option(
        "--if-match",
        metavar="ETAG",
        help="Only if nobody has changed it since: the `etag` that its `--json` said.",
        show_default=False,
    ),
]

STATUSES = (
    "Exit status: 0 done, 1 the control plane failed, 2 a name or value is wrong, 3 the control plane does not answer, "
    "4 refused, 130 ended by Ctrl-C."
)

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


class IntentWord(StrEnum):
    """The intents an app can be assigned with."""

    REQUIRED = "required"
    UNINSTALL = "uninstall"
    AVAILABLE = "available"

    @property
    def intent(self) -> Intent:
        """The intent itself."""
        return Intent[self.name]


def parse_duration(text: str) -> timedelta:
    """`90s`, `30m`, `1h`, `7d` or `2w` as a time span.

    Raises:
        typer.BadParameter: It is none of these.
    """
    number, unit = text[:-1], text[-1:]
    try:
        span = timedelta(seconds=float(number) * _UNITS[unit])
    except (KeyError, ValueError, OverflowError):
        raise typer.BadParameter(f"expected a number and one of s, m, h, d, w, such as 1h; found {text!r}") from None
    if span <= timedelta():
        raise typer.BadParameter(f"expected more than nothing; found {text!r}")
    return span
