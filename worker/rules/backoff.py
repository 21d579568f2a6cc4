"""How long a phase waits after a part did not answer, and how often it tries."""

FIRST_WAIT_SECONDS = 2.0
LONGEST_WAIT_SECONDS = 300.0
#: Tries of one phase before its attempt fails; their waits add up to about 23 minutes.
MAX_TRIES = 12
_GROWTH = 2.0


def wait_after(tries: int) -> float | None:
    """Seconds until the next try.

    Args:
        tries: How many have failed so far, at least 1.

    Returns:
        None when there is to be no other try.
    """
    if tries >= MAX_TRIES:
        return None
    return growing_wait(tries)


def growing_wait(tries: int) -> float:
    """Seconds to wait after so many failures in a row, for what is tried without end."""
    # The exponent is bounded so that an outage of months overflows nothing.
    return min(FIRST_WAIT_SECONDS * _GROWTH ** min(tries - 1, MAX_TRIES), LONGEST_WAIT_SECONDS)
