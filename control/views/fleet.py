"""Groups and devices."""

from datetime import datetime
from typing import Any, ClassVar, Final

from pydantic import Field

from control.filters.parse import MAX_RULE_LENGTH
from control.views.access import MAX_TOKEN_LIFETIME_SECONDS
from control.views.base import Request, View
from control.views.jobs import JobDetail

#: Names that are part of addresses hold no slash.
NAME_PATTERN: Final = r"^[^/\x00-\x1f]+$"


class GroupRequest(Request):
    """A new group; its name is part of addresses, so it holds no slash.

    Attributes:
        rule: Its members are the devices that match; None where operators choose them.
    """

    name: str = Field(min_length=1, max_length=200, pattern=NAME_PATTERN)
    rule: str | None = Field(default=None, max_length=MAX_RULE_LENGTH)


class GroupRuleRequest(Request):
    """Another rule for a group.

    Attributes:
        rule: None makes the group static; its members stay.
    """

    rule: str | None = Field(max_length=MAX_RULE_LENGTH)


class SiteRequest(Request):
    """Where a device stands; None for nowhere that is known."""

    site: str | None = Field(min_length=1, max_length=200, pattern=NAME_PATTERN)


class GroupView(View):
    """A group and how many devices are in it."""

    id: str
    name: str
    members: int
    rule: str | None = None
    created_at: datetime


class ReplacementRequest(Request):
    """A token for the device that takes another one's place."""

    lifetime_seconds: float = Field(default=86_400, gt=0, le=MAX_TOKEN_LIFETIME_SECONDS)


class DeviceView(View):
    """A device.

    Attributes:
        online: Whether it was seen within its check-in interval.
        site: Where it stands; None where operators did not say.
    """

    OUTSIDE_TAG: ClassVar = frozenset({"online", "last_seen_at"})

    id: str
    name: str
    site: str | None
    online: bool
    os_name: str
    os_version: str
    architecture: str
    agent_version: str
    last_seen_at: datetime
    enrolled_at: datetime


class RetiredDeviceView(DeviceView):
    """A device that is shut out for good.

    Attributes:
        cut_off_at: When the broker shut it out; None while the broker does not answer: it follows by itself.
    """

    retired_at: datetime
    cut_off_at: datetime | None


class DeviceDetail(DeviceView):
    """A device with what it says of itself, its groups and its jobs.

    Attributes:
        refused_messages: How many messages of the broker it has refused; more than a few say that somebody writes to
            its queue who should not.
        jobs: Its newest ones, and those that these replaced not too long ago.
        has_more_jobs: Whether `/jobs` below its address lists more than these.
        archived_jobs: How many older ones are in the archive; `outrider-control history export` prints them.
    """

    facts: dict[str, Any]
    refused_messages: int
    groups: tuple[str, ...]
    jobs: tuple[JobDetail, ...]
    has_more_jobs: bool
    archived_jobs: int
