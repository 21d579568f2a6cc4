"""What becomes of a wait when the clock it was set by is set back (docs/reliability.md, "Clocks")."""

from datetime import datetime, timedelta


def overshoot(since: datetime, *, now: datetime) -> timedelta:
    """How much of a wait's beginning lies ahead: zero, unless the clock was set back to before it.

    A wait that has not begun yet by the clock begins now: all its moments come earlier by this, so never more of it is
    left than was stated.
    """
    return max(timedelta(0), since - now)
