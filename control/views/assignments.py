"""What is wanted of groups."""

from datetime import datetime

from contract.states import Intent
from control.views.base import Request, View


class AssignmentView(View):
    """An intent for an app on a group."""

    app: str
    group: str
    intent: Intent
    created_at: datetime


class AssignmentRequest(Request):
    """An intent for an app on a group, by their names."""

    app: str
    group: str
    intent: Intent = Intent.REQUIRED
