"""Desired state as documents, and what changes on the way to it."""

from typing import Any

from pydantic import Field

from control.desired.documents import AnyDocument
from control.desired.plan import Action
from control.views.base import Request, View

#: As many as the largest body holds of usual length.
MAX_DOCUMENTS = 100_000


class ChangesRequest(Request):
    """All that should be there.

    Attributes:
        prune: Remove assignments, groups and filters that are not among the documents.
        dry_run: Only say what would change.
        expected_state: The `state` of an earlier answer to the same documents; the request is refused if anything has
            changed since.
    """

    documents: tuple[AnyDocument, ...] = Field(max_length=MAX_DOCUMENTS)
    prune: bool = False
    dry_run: bool = False
    expected_state: str | None = None


class FieldChange(View):
    """A field of a document; None where it is not said."""

    name: str
    before: Any
    after: Any


class ChangeView(View):
    """One document that changes."""

    action: Action
    kind: str
    name: str
    fields: tuple[FieldChange, ...]


class ChangesView(View):
    """What changes, or has changed.

    Attributes:
        state: Names what was there before; see `ChangesRequest.expected_state`.
        applied: Whether it was carried out.
        missing_packages: Digests that have to be uploaded before.
    """

    state: str
    applied: bool
    changes: tuple[ChangeView, ...]
    missing_packages: tuple[str, ...]


class StateView(View):
    """All that is there, as documents."""

    state: str
    documents: tuple[dict[str, Any], ...]
