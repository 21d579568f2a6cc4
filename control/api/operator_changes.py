"""The operators' side: desired state as documents, all of it at once."""

from typing import Annotated

from fastapi import Query
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.queues import ControlTask
from control.api.dependencies import OperatorDep, ServicesDep
from control.api.guarded_route import guarded_router, requires
from control.database.session import lock_planning
from control.database.tables import Role
from control.desired.apply import Changer, missing_packages
from control.desired.canonical import State, exported, state_of
from control.desired.current import load_state, tag_of_state
from control.desired.documents import GroupDocument
from control.desired.members import with_known_members
from control.desired.pins import require_revisions
from control.desired.plan import Change, plan_changes
from control.views.changes import ChangesRequest, ChangesView, ChangeView, FieldChange, StateView

router = guarded_router("desired state")


@router.get("/state", dependencies=[requires(Role.VIEWER)])
def desired_state(
    services: ServicesDep,
    members: Annotated[bool, Query(description="With the devices of groups that have no rule.")] = False,
) -> StateView:
    """All that is there, as documents that can be applied again; rollouts that have ended are left out."""
    with services.database.snapshot() as session:
        documents = load_state(session, None if members else (), under_way=True).values()
        tag = tag_of_state(load_state(session))
    return StateView(state=tag, documents=tuple(exported(document) for document in documents))


@router.post("/changes", dependencies=[requires(Role.OPERATOR)])
def change(body: ChangesRequest, services: ServicesDep, operator: OperatorDep) -> ChangesView:
    """Make what is there what the documents say, all of it or nothing; or only say what would change."""
    wanted = state_of(body.documents)
    if body.dry_run:
        with services.database.snapshot() as session:
            current = load_state(session, _with_members(wanted))
            changes = _planned(session, current, wanted, prune=body.prune)
            return _view(changes, tag_of_state(current), missing=missing_packages(session, changes), applied=False)
    now = services.clock.now()
    with services.database.transaction() as session:
        lock_planning(session)
        current = load_state(session, _with_members(wanted))
        tag = tag_of_state(current)
        _require_unchanged(body.expected_state, tag)
        changes = _planned(session, current, wanted, prune=body.prune)
        changer = Changer(session, services.policies, actor=operator.signature, now=now)
        for one in changes:
            changer.carry_out(one)
        changer.finish()
        # Last, for entries wait for each other.
        for one in changes:
            fields = one.fields()
            before = {name: pair[0] for name, pair in fields.items()} if one.before else None
            after = {name: pair[1] for name, pair in fields.items()} if one.after else None
            action, target = f"desired.{one.action}", " ".join(one.key)
            services.audit.record(session, operator, action, target, now=now, before=before, after=after)
    if changes:
        services.queue.request(ControlTask.PLAN)
    return _view(changes, tag, missing=(), applied=True)


def _with_members(wanted: State) -> frozenset[str]:
    """The groups whose devices the documents choose."""
    return frozenset(one.name for one in wanted.values() if isinstance(one, GroupDocument) and one.members is not None)


def _planned(session: Session, current: State, wanted: State, *, prune: bool) -> tuple[Change, ...]:
    changes = plan_changes(current, with_known_members(session, wanted), prune=prune)
    require_revisions(session, changes)
    return changes


def _require_unchanged(expected: str | None, found: str) -> None:
    if expected is not None and expected != found:
        detail = "something was changed since the plan was made; look at the new plan"
        raise InputError(ErrorCode.PRECONDITION_FAILED, place="expected_state", detail=detail)


def _view(changes: tuple[Change, ...], tag: str, *, missing: tuple[str, ...], applied: bool) -> ChangesView:
    views = tuple(
        ChangeView(
            action=one.action,
            kind=one.key[0],
            name=one.key[1],
            fields=tuple(
                FieldChange(name=name, before=before, after=after) for name, (before, after) in one.fields().items()
            ),
        )
        for one in changes
    )
    return ChangesView(state=tag, applied=applied, changes=views, missing_packages=missing)
