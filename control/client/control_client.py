"""The client put together."""

from control.client.access import AccessCalls
from control.client.apps import AppCalls
from control.client.assignments import AssignmentCalls
from control.client.filters import FilterCalls
from control.client.fleet import FleetCalls
from control.client.groups import GroupCalls
from control.client.jobs import JobCalls
from control.client.secrets import SecretCalls


class ControlClient(AppCalls, FleetCalls, GroupCalls, FilterCalls, AssignmentCalls, AccessCalls, JobCalls, SecretCalls):
    """The control plane, as an operator with a token sees it."""
