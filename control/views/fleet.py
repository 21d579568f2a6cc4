"""Groups and devices."""

from datetime import datetime
from typing import Any

from pydantic import Field

from control.views.access import MAX_TOKEN_LIFETIME_SECONDS
from control.views.base import Request, View
from control.views.jobs import JobDetail


class GroupRequest(Request):
    """A new group; its name is part of addresses, so it holds no slash."""

    name: str = Field(min_length=1, max_length=200, pattern=r"^[^/\x00-\x1f]+$")


class GroupView(View):
    """A group and how many devices are in it."""

    id: str
    name: str
    members: int
    created_at: datetime


class ReplacementRequest(Request):
    """A token for the device that takes another one's place."""

    lifetime_seconds: float = Field(default=86_400, gt=0, le=MAX_TOKEN_LIFETIME_SECONDS)


class DeviceView(View):
    """A device.

    Attributes:
        online: Whether it was seen within its check-in interval.
    """

    id: str
    name: str
    online: bool
    os_name: str
    os_version: str
    architecture: str
    agent_version: str
    last_seen_at: datetime
    enrolled_at: datetime


class DeviceDetail(DeviceView):
    """A device with what it says of itself, its groups and its jobs.

    Attributes:
        refused_messages: How many messages of the broker it has refused; more than a few say that somebody writes to
            its queue who should not.
    """

    facts: dict[str, Any]
    refused_messages: int
    groups: tuple[str, ...]
    jobs: tuple[JobDetail, ...]
