"""Which start of the machine this is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from contract.documents import Fragment

_LINUX_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
#: The time of a start is reckoned from a clock that is set right later, and differs a little from reading to reading.
_TOLERANCE = timedelta(minutes=1)


class Boot(Fragment):
    """One start of the machine.

    Attributes:
        id: Its name where the system gives it one; empty elsewhere.
        began_at: When it was.
    """

    id: str = ""
    began_at: datetime

    def is_same(self, other: "Boot") -> bool:
        """Whether the machine has not been started again between the two."""
        if self.id and other.id:
            return self.id == other.id
        return abs(self.began_at - other.began_at) < _TOLERANCE


def this_boot() -> Boot:
    """The start the machine runs since."""
    name = _LINUX_BOOT_ID.read_text(encoding="ascii").strip() if _LINUX_BOOT_ID.exists() else ""
    return Boot(id=name, began_at=datetime.fromtimestamp(psutil.boot_time(), UTC))
