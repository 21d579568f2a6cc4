"""The log of what was changed."""

from datetime import datetime
from typing import Any

from control.views.base import View


class AuditEntryView(View):
    """One change that was made."""

    sequence: int
    at: datetime
    actor: str
    source: str
    action: str
    target: str
    before: Any
    after: Any
    seal: str


class AuditVerdictView(View):
    """Whether the audit log is whole.

    Attributes:
        head: The newest entry's seal; kept elsewhere it shows later whether the end was cut off.
        broken_at: The first entry that is missing or was changed.
    """

    entries: int
    head: str
    broken_at: int | None
