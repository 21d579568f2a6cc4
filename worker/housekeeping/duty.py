"""A duty of the second thread."""

from typing import Protocol

#: Nothing is due until something wakes the thread.
NEVER = float("inf")


class Duty(Protocol):
    """Something to be done again and again."""

    def turn(self) -> float:
        """Do what is due now.

        Returns:
            Seconds until something is due again; `NEVER` where only an event brings something up.
        """
        ...
