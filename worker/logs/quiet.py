"""Logging of commands that keep no log: what is wrong goes to stderr, and nothing to the command's own output."""

import structlog


def log_warnings_only() -> None:
    """Show warnings and what is graver, as the standard library does where nobody asked for more."""
    if not structlog.is_configured():
        structlog.configure(
            processors=[structlog.stdlib.render_to_log_kwargs],
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.stdlib.BoundLogger,
        )
