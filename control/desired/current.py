"""What is there, as documents."""

import json
from collections.abc import Collection, Iterator
from hashlib import sha256

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from control.answers.assignments import all_assignments
from control.catalog.delivery_words import fields_of, word_of
from control.catalog.manifest import Manifest
from control.database.tables import App, Filter, Group, Revision, Rollout
from control.desired.canonical import State, manifest_data, said
from control.desired.documents import (
    KINDS,
    NEWEST,
    AppDocument,
    AssignmentDocument,
    Document,
    FilterDocument,
    GroupDocument,
    RolloutDocument,
    key_of,
)
from control.desired.members import members_of
from control.rollouts.states import ACTIVE_STATES


def load_state(session: Session, members_in: Collection[str] | None = (), *, under_way: bool = False) -> State:
    """Everything that documents can say, by kind and name, in a fixed order.

    Args:
        session: A transaction.
        members_in: The groups whose devices are to be among it, where operators choose them; None for all.
        under_way: Leave out rollouts that have come to their end.
    """
    documents = sorted(
        _documents(session, members_in, under_way=under_way),
        key=lambda one: (KINDS.index(key_of(one)[0]), key_of(one)[1]),
    )
    return {key_of(document): document for document in documents}


def tag_of_state(state: State) -> str:
    """Changes when anything of the state does."""
    text = json.dumps([said(document) for document in state.values()], sort_keys=True)
    return sha256(text.encode()).hexdigest()


def _documents(session: Session, members_in: Collection[str] | None, *, under_way: bool) -> Iterator[Document]:
    for found in session.scalars(select(Filter)):
        yield FilterDocument(kind="Filter", name=found.name, rule=found.rule)
    yield from _groups(session, members_in)
    yield from _apps(session)
    for assigned in all_assignments(session):
        yield AssignmentDocument(
            kind="Assignment",
            app=assigned.app.name,
            group=assigned.group.name,
            intent=word_of(assigned.assignment.intent),
            **fields_of(assigned.terms),
        )
    rollouts = select(Rollout.name, App.name, Rollout.spec).join(App, App.id == Rollout.app_id)
    if under_way:
        rollouts = rollouts.where(Rollout.state.in_(ACTIVE_STATES))
    for name, app, spec in session.execute(rollouts):
        yield RolloutDocument.model_validate({**spec, "kind": "Rollout", "name": name, "app": app})


def _groups(session: Session, members_in: Collection[str] | None) -> Iterator[GroupDocument]:
    groups = session.scalars(select(Group)).all()
    static = [group.name for group in groups if group.rule is None]
    members = members_of(session, [name for name in static if members_in is None or name in members_in])
    for group in groups:
        yield GroupDocument(kind="Group", name=group.name, rule=group.rule, members=members.get(group.name))


def _apps(session: Session) -> Iterator[AppDocument]:
    newest = select(Revision.app_id, func.max(Revision.number).label("number")).group_by(Revision.app_id).subquery()
    is_newest = (Revision.app_id == newest.c.app_id) & (Revision.number == newest.c.number)
    rows = select(Revision, App.pinned_revision).join(newest, is_newest).join(App, App.id == Revision.app_id)
    for revision, pinned in session.execute(rows):
        manifest = manifest_data(Manifest.model_validate_json(revision.manifest))
        pin = NEWEST if pinned is None else pinned
        yield AppDocument(kind="App", manifest=manifest, package=revision.package_digest, pin=pin)
