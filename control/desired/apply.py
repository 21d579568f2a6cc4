"""Carry changes out: all in one transaction, or none."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from control.catalog.assignments import assign, unassign
from control.catalog.delivery_words import intent_of, terms_of
from control.catalog.manifest_reader import validate_manifest
from control.catalog.policies import PolicyOffice
from control.catalog.publishing import publish_manifest
from control.database.tables import Group, Package
from control.desired.documents import (
    HOLD,
    AppDocument,
    AssignmentDocument,
    Document,
    FilterDocument,
    GroupDocument,
    RolloutDocument,
)
from control.desired.members import device_ids
from control.desired.pins import set_pin
from control.desired.plan import Change
from control.filters.stored import add_filter, change_filter, delete_filter, find_filter
from control.fleet.groups import create_group, delete_group, find_group
from control.fleet.membership import note_rule, refresh_groups, set_members
from control.rollouts.creation import create_rollout


def missing_packages(session: Session, changes: Sequence[Change]) -> tuple[str, ...]:
    """Digests of packages that changes need and that were not uploaded yet."""
    needed = sorted({change.after.package for change in changes if isinstance(change.after, AppDocument)})
    known = set(session.scalars(select(Package.digest).where(Package.digest.in_(needed))))
    return tuple(digest for digest in needed if digest not in known)


class Changer:
    """Carries changes out in one transaction: each of them in its order, then `finish`.

    Attributes:
        actor: Who wants it, for the history of rollouts.
    """

    def __init__(self, session: Session, policies: PolicyOffice, *, actor: str, now: datetime) -> None:
        self.actor = actor
        self._session = session
        self._policies = policies
        self._now = now
        self._ruled: list[Group] = []

    def carry_out(self, change: Change) -> None:
        """Carry one change out; those before it are done.

        Raises:
            InputError: It is refused; the transaction must not be committed then.
        """
        if change.after is not None:
            self._put(change.after, change)
        elif change.before is not None:
            self._remove(change.before)

    def finish(self) -> None:
        """Let the rules that were changed choose their devices, all in one look at the fleet."""
        refresh_groups(self._session, self._ruled, self._now)

    def _put(self, document: Document, change: Change) -> None:
        session, now, is_new = self._session, self._now, change.before is None
        match document:
            case FilterDocument() if is_new:
                add_filter(session, document.name, document.rule, now)
            case FilterDocument():
                change_filter(session, find_filter(session, document.name), document.rule)
            case GroupDocument():
                self._put_group(document, is_new=is_new)
            case AppDocument():
                self._put_app(document, makes_revision=change.makes_revision)
            case AssignmentDocument():
                intent = intent_of(document.intent, document.mode)
                assign(session, document.app, document.group, intent, now, terms=terms_of(document))
            case RolloutDocument():
                create_rollout(
                    session, document.app, document.spec, actor=self.actor, now=now, revision=None, name=document.name
                )

    def _put_group(self, document: GroupDocument, *, is_new: bool) -> None:
        if is_new:
            group = create_group(self._session, document.name, self._now)
        else:
            group = find_group(self._session, document.name)
        note_rule(self._session, group, document.rule)
        self._ruled.append(group)
        if document.members is not None:
            set_members(self._session, group, device_ids(self._session, document), self._now)

    def _put_app(self, document: AppDocument, *, makes_revision: bool) -> None:
        if makes_revision:
            manifest, hold = validate_manifest(document.manifest), document.pin == HOLD
            publish_manifest(
                self._session, manifest, document.package, policies=self._policies, now=self._now, hold=hold
            )
        set_pin(self._session, document)

    def _remove(self, document: Document) -> None:
        match document:
            case AssignmentDocument():
                unassign(self._session, document.app, document.group)
            case GroupDocument():
                delete_group(self._session, document.name, self._now)
            case FilterDocument():
                delete_filter(self._session, document.name)
            case _:
                raise TypeError(document)
