"""Packages, apps and their revisions."""

from datetime import datetime
from typing import Any

from control.views.assignments import AssignmentView
from control.views.base import Request, View


class PackageView(View):
    """A package that was taken in.

    Attributes:
        digest: SHA-256 of the encrypted content; names the package from now on.
        size: Bytes of the encrypted content.
    """

    digest: str
    size: int
    plain_size: int
    name: str
    setup_file: str


class RevisionView(View):
    """One revision of an app."""

    number: int
    display_version: str
    package_digest: str
    size: int
    created_at: datetime


class AppView(View):
    """An app with its newest revision."""

    id: str
    name: str
    publisher: str
    display_version: str
    revision: int
    revisions: int
    created_at: datetime


class AppDetail(View):
    """An app with its revisions, newest first, the newest manifest, and where it is assigned."""

    id: str
    name: str
    created_at: datetime
    revisions: tuple[RevisionView, ...]
    manifest: dict[str, Any]
    assignments: tuple[AssignmentView, ...]


class PublishRequest(Request):
    """A manifest and the digest of a package that is there already.

    Attributes:
        hold: Keep deploying what is deployed now: a new revision reaches nobody before a rollout, a pin or an unpin.
    """

    manifest: dict[str, Any]
    package: str
    hold: bool = False


class PublishReply(View):
    """The revision that was made, or found as it was.

    Attributes:
        created: Whether it is new.
        deployed: The revision that is deployed now; 0 for none.
        assignments: Where the app is assigned now.
    """

    app_id: str
    app: str
    revision: int
    created: bool
    deployed: int
    assignments: tuple[AssignmentView, ...] = ()
