"""What is there, as documents."""

import json
from collections.abc import Iterator
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
    AppDocument,
    AssignmentDocument,
    Document,
    FilterDocument,
    GroupDocument,
    RolloutDocument,
    key_of,
)
from control.rollouts.states import ACTIVE_STATES


def load_state(session: Session, *, under_way: bool = False) -> State:
    """Everything that documents can say, by kind and name, in a fixed order.

    Args:
        session: A transaction.
        under_way: Leave out rollouts that have come to their end.
    """
    documents = sorted(
        _documents(session, under_way=under_way), key=lambda one: (KINDS.index(key_of(one)[0]), key_of(one)[1])
    )
    return {key_of(document): document for document in documents}


def tag_of_state(state: State) -> str:
    """Changes when anything of the state does."""
    text = json.dumps([said(document) for document in state.values()], sort_keys=True)
    return sha256(text.encode()).hexdigest()


def _documents(session: Session, *, under_way: bool) -> Iterator[Document]:
    for found in session.scalars(select(Filter)):
        yield FilterDocument(kind="Filter", name=found.name, rule=found.rule)
    for group in session.scalars(select(Group)):
        yield GroupDocument(kind="Group", name=group.name, rule=group.rule)
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


def _apps(session: Session) -> Iterator[AppDocument]:
    newest = select(Revision.app_id, func.max(Revision.number).label("number")).group_by(Revision.app_id).subquery()
    is_newest = (Revision.app_id == newest.c.app_id) & (Revision.number == newest.c.number)
    for revision in session.scalars(select(Revision).join(newest, is_newest)):
        manifest = Manifest.model_validate_json(revision.manifest)
        yield AppDocument(kind="App", manifest=manifest_data(manifest), package=revision.package_digest)
