"""Why an app is wanted on a device, or not: the chain of reasons."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from contract.jobs import JobState
from contract.states import Intent, Outcome
from control.planning.explain import Reason, ReasonKind, explain
from control.planning.models import AppLine, AssignedIntent, Demand, DeviceSituation, Fleet, KnownJob, Relation
from control.relation_mode import RelationMode
from control.targeting import Mode

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NAMES = {"g1": "desks", "g2": "labs", "f": "Berlin"}
EDITOR = AssignedIntent("editor", "g1", Intent.REQUIRED)
LINES = {"editor": AppLine("Editor", 2, 2), "runtime": AppLine("Runtime", 1, 1)}


def reasons(
    *assignments: AssignedIntent, app: str = "editor", line: AppLine | None = None, **device: Any
) -> list[Reason]:
    groups = {group: tuple(one for one in assignments if one.group_id == group) for group in ("g1", "g2")}
    relations = (
        {("editor", 2): (Relation("runtime", RelationMode.AUTO_INSTALL),)} if device.pop("related", False) else {}
    )
    demand = Demand(NOW, groups, LINES if line is None else {**LINES, "editor": line}, relations)
    situation = DeviceSituation(**{"device_id": "d", "group_ids": ("g1", "g2"), **device})
    return list(explain(Fleet(demand, (situation,)), "d", app, NAMES))


def kinds(found: list[Reason]) -> list[ReasonKind]:
    return [reason.kind for reason in found]


def test_what_is_assigned_is_wanted() -> None:
    assigned, wanted = reasons(EDITOR)
    assert (assigned.kind, assigned.words) == (ReasonKind.ASSIGNMENT, "it is required on desks")
    assert assigned.facts == {"group": "desks", "intent": "required"}
    assert wanted.words == "revision 2 is wanted, required"


def test_what_nobody_assigned_is_not_wanted() -> None:
    assigned, wanted = reasons()
    assert assigned.words == "no assignment of it reaches the device"
    assert wanted.words == "nothing of it is wanted on the device"


def test_an_exclusion_is_named_beside_what_it_wins_over() -> None:
    excluding = AssignedIntent("editor", "g2", Intent.NOT_TARGETED, mode=Mode.EXCLUDE)
    found = reasons(EDITOR, excluding)
    assert kinds(found) == [ReasonKind.ASSIGNMENT, ReasonKind.EXCLUSION, ReasonKind.WANTED]
    assert found[1].words == "labs is excluded from it, and exclusion wins"
    assert found[2].words == "nothing of it is wanted on the device"


def test_a_filter_and_a_start_time_are_named() -> None:
    found = reasons(
        replace(EDITOR, filter_id="f"),
        replace(EDITOR, group_id="g2", start_at=NOW + timedelta(hours=1)),
    )
    assert kinds(found) == [ReasonKind.FILTER, ReasonKind.START_TIME, ReasonKind.WANTED]
    assert found[0].facts["filter"] == "Berlin"
    assert found[1].words == "it is required on labs from 2026-03-01 13:00 UTC on"


def test_of_several_intents_the_winner_is_named() -> None:
    found = reasons(EDITOR, replace(EDITOR, group_id="g2", intent=Intent.UNINSTALL))
    assert [reason.words for reason in found if reason.kind is ReasonKind.CONFLICT] == [
        "of several intents required wins"
    ]


def test_a_pin_a_rollout_and_a_newer_revision_are_named() -> None:
    assert ReasonKind.PIN in kinds(reasons(EDITOR, line=AppLine("Editor", 1, 2)))
    held = reasons(EDITOR, holds={"editor": None})
    assert held[1].words == "a rollout has not reached the device: it gets none yet"
    job = KnownJob("j", "editor", 2, Intent.REQUIRED, JobState.FINISHED, outcome=Outcome.INSTALLED)
    found = reasons(EDITOR, line=AppLine("Editor", 1, 2), jobs={"editor": job})
    assert kinds(found) == [ReasonKind.ASSIGNMENT, ReasonKind.PIN, ReasonKind.REVISION, ReasonKind.WANTED]


def test_both_ends_of_a_relation_name_each_other() -> None:
    looked = KnownJob("j", "editor", 2, Intent.REQUIRED, JobState.HELD, outcome=Outcome.EVALUATED, evaluates_only=True)
    parent = reasons(EDITOR, related=True, jobs={"editor": looked})
    assert parent[1].words == "Runtime, which it depends on, is installed first"
    assert parent[1].facts == {"app": "Runtime", "obstacle": "installing"}
    assert parent[2].words == "revision 2 is wanted, required; for now the device only looks"
    child = reasons(EDITOR, related=True, jobs={"editor": looked}, app="runtime")
    assert child[1].words == "Editor depends on it"
    assert child[2].words == "revision 1 is wanted, a dependency"


def test_a_retired_device_gets_nothing() -> None:
    found = reasons(EDITOR, is_enrolled=False)
    assert (found[0].kind, found[-1].words) == (ReasonKind.RETIRED, "nothing of it is wanted on the device")
