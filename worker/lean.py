"""What a process that runs for months leaves out of its memory."""

import sys


def leave_out_terminal_colours() -> None:
    """Have libraries find no `rich` in this process, as on a device where it is not installed: 3 MB less.

    structlog and the HTTP client load it wherever it can be found and do without where it cannot. To be called before
    either of them is loaded; what uses it already goes on doing so.
    """
    if "rich" not in sys.modules:
        sys.modules["rich"] = None  # type: ignore[assignment]  # the language's own way to have an import fail
