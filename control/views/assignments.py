"""What is wanted of groups."""

from datetime import datetime

from contract.states import Intent
from control.catalog.assignment_entries import TermsFields
from control.views.base import Request, View


class AssignmentView(TermsFields, View):
    """An intent for an app on a group, and its terms.

    Attributes:
        intent: `NOT_TARGETED` where the group is excluded.
    """

    app: str
    group: str
    intent: Intent
    created_at: datetime


class AssignmentRequest(TermsFields, Request):
    """An intent for an app on a group, by their names.

    Attributes:
        intent: What is wanted; None for required, or where the group is excluded.
    """

    app: str
    group: str
    intent: Intent | None = None
