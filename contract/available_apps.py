"""Apps that a device is offered: what it hears of them, and how somebody at the device asks for one."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from contract.documents import Document, Fragment
from contract.jobs import ID_PATTERN

#: Apps in one answer; who wants more asks again.
MAX_AVAILABLE_APPS = 100


class AppRequestKind(StrEnum):
    """What somebody at a device wants of an available app."""

    INSTALL = "install"
    UNINSTALL = "uninstall"


class AppStanding(StrEnum):
    """How an available app stands on a device, as far as its control plane has heard."""

    NOT_INSTALLED = "not-installed"
    #: Asked for; nothing of it is under way yet.
    REQUESTED = "requested"
    IN_PROGRESS = "in-progress"
    INSTALLED = "installed"
    #: It is not tried again by itself, or only after a long wait; asking anew tries it at once.
    FAILED = "failed"
    #: The device does not meet its requirements.
    NOT_APPLICABLE = "not-applicable"
    #: An operator cancelled it.
    CANCELLED = "cancelled"


class AvailableApp(Fragment):
    """An app that a device is offered.

    Attributes:
        version: The version for people of the revision that the device would get.
        requested: What was asked for last; None where nobody has asked.
        error_code: The name of the error that an attempt ended with last; empty where it did not fail.
        detail: The facts of that error, or of what it waits for.
        next_attempt_at: When it is tried again by itself.
    """

    app_id: str = Field(pattern=ID_PATTERN)
    name: str
    version: str = ""
    publisher: str = ""
    description: str = ""
    standing: AppStanding
    requested: AppRequestKind | None = None
    requested_at: datetime | None = None
    error_code: str = ""
    detail: str = ""
    next_attempt_at: datetime | None = None


class AvailableAppsReply(Document):
    """The apps that a device is offered, by name.

    Attributes:
        next_after: The name to ask on with; None where these are all.
    """

    apps: tuple[AvailableApp, ...] = Field(default=(), max_length=MAX_AVAILABLE_APPS)
    next_after: str | None = None


class AppRequest(Document):
    """Somebody at a device asks for an available app, or wants one gone that was asked for.

    Attributes:
        app: The app's id or name.
    """

    app: str = Field(min_length=1, max_length=200)
    kind: AppRequestKind


class AppRequestReply(Document):
    """How the app stands now."""

    app: AvailableApp
