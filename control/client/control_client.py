"""The client put together."""

from control.client.access import AccessCalls
from control.client.apps import AppCalls
from control.client.assignments import AssignmentCalls
from control.client.changes import ChangeCalls
from control.client.events import EventCalls
from control.client.filters import FilterCalls
from control.client.fleet import FleetCalls
from control.client.groups import GroupCalls
from control.client.jobs import JobCalls
from control.client.revisions import RevisionCalls
from control.client.rollouts import RolloutCalls
from control.client.secrets import SecretCalls
from control.client.status import StatusCalls


class ControlClient(
    AppCalls,
    FleetCalls,
    GroupCalls,
    FilterCalls,
    AssignmentCalls,
    ChangeCalls,
    AccessCalls,
    JobCalls,
    StatusCalls,
    EventCalls,
    RevisionCalls,
    RolloutCalls,
    SecretCalls,
):
    """The control plane, as an operator with a token sees it."""
