"""Revisions: which one is deployed, and where each of them is."""

from datetime import datetime

from pydantic import Field

from control.views.base import Request, View


class DeployedRevisionView(View):
    """One revision of an app, and how many devices have come how far with it.

    Attributes:
        copied_from: The older revision that it brought back.
        is_deployed: Whether devices get it now, unless a rollout says otherwise.
        is_pinned: Whether that is because it is pinned.
        installed: Devices on which it is there.
        under_way: Devices that are to get it, or to lose it, and have not come to an end.
        other: Devices where it came to another end: not applicable, failed, cancelled, uninstalled.
    """

    number: int
    display_version: str
    package_digest: str
    copied_from: int | None
    is_deployed: bool
    is_pinned: bool
    installed: int
    under_way: int
    other: int
    created_at: datetime


class DeploymentView(View):
    """Which revision of an app is deployed now.

    Attributes:
        deployed: Its number; 0 where none is.
        pinned: Whether it is pinned; otherwise it is the newest.
    """

    app_id: str
    app: str
    deployed: int
    pinned: bool


class PinRequest(Request):
    """The revision to deploy until another one is pinned."""

    revision: int = Field(ge=1)


class RollbackRequest(Request):
    """The revision to bring back; none for the one before the deployed one."""

    revision: int | None = Field(default=None, ge=1)
