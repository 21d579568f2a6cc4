"""Available apps: nothing happens until somebody at the device asks; then they are planned like required ones."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contract.available_apps import AppRequestKind
from contract.jobs import JobState
from contract.states import Intent, Outcome
from contract.uplink import GenerationReason
from control.planning.explain import ReasonKind, explain
from control.planning.models import AppLine, AssignedIntent, Demand, DeviceSituation, Fleet, KnownJob, Relation, Request
from control.planning.plan import plan
from control.relation_mode import RelationMode
from control.targeting import Mode
from tests.control.planning.simulated_fleet import NOW

AVAILABLE = AssignedIntent("a1", "g1", Intent.AVAILABLE)
ASKED = {"a1": Request(AppRequestKind.INSTALL, NOW)}
UNASKED = {"a1": Request(AppRequestKind.UNINSTALL, NOW)}
LINES = {"a1": AppLine("One", 1, 1), "a2": AppLine("Two", 1, 1)}
INSTALLED = KnownJob("j", "a1", 1, Intent.AVAILABLE, JobState.FINISHED, outcome=Outcome.INSTALLED)


def fleet(*assignments: AssignedIntent, relations: tuple[Relation, ...] = (), **device: Any) -> Fleet:
    """One device in two groups."""
    groups = {group: tuple(one for one in assignments if one.group_id == group) for group in ("g1", "g2")}
    situation = DeviceSituation(**{"device_id": "d1", "group_ids": ("g1", "g2"), "requests": ASKED, **device})
    return Fleet(Demand(NOW, groups, LINES, {("a1", 1): relations}), (situation,))


def made(fleet: Fleet) -> list[tuple[str, Intent]]:
    return [(job.want.app_id, job.want.intent) for job in plan(fleet).make]


@pytest.mark.behaviour("2.5 Intent")
def test_an_available_app_is_wanted_from_when_it_is_asked_for() -> None:
    assert made(fleet(AVAILABLE, requests={})) == []
    assert made(fleet(AVAILABLE)) == [("a1", Intent.AVAILABLE)]
    assert made(fleet(AVAILABLE, jobs={"a1": INSTALLED})) == []


def test_what_was_asked_for_is_uninstalled_when_that_is_asked_for_and_installed_when_it_is_asked_for_again() -> None:
    assert made(fleet(AVAILABLE, jobs={"a1": INSTALLED}, requests=UNASKED)) == [("a1", Intent.UNINSTALL)]
    gone = replace(INSTALLED, intent=Intent.UNINSTALL, outcome=Outcome.UNINSTALLED)
    assert made(fleet(AVAILABLE, jobs={"a1": gone}, requests=UNASKED)) == []
    (again,) = plan(fleet(AVAILABLE, jobs={"a1": gone})).make
    assert (again.want.intent, again.reason) == (Intent.AVAILABLE, GenerationReason.REVISION)


@pytest.mark.behaviour("2.9 conflicts of intent")
@pytest.mark.parametrize(
    ("other", "requests", "wanted"),
    [
        (Intent.REQUIRED, ASKED, Intent.REQUIRED),
        (Intent.REQUIRED, UNASKED, Intent.REQUIRED),
        (Intent.UNINSTALL, ASKED, Intent.UNINSTALL),
    ],
)
def test_what_groups_want_of_the_device_beats_what_was_asked_for_there(
    other: Intent, requests: dict[str, Request], wanted: Intent
) -> None:
    assert made(fleet(AVAILABLE, replace(AVAILABLE, group_id="g2", intent=other), requests=requests)) == [
        ("a1", wanted)
    ]


@pytest.mark.parametrize(
    "assignments",
    [
        (),
        (AVAILABLE, AssignedIntent("a1", "g2", Intent.NOT_TARGETED, mode=Mode.EXCLUDE)),
        (replace(AVAILABLE, filter_id="f"),),
        (replace(AVAILABLE, start_at=NOW + timedelta(seconds=1)),),
    ],
    ids=["withdrawn", "excluded", "filtered", "not started"],
)
def test_a_request_for_what_is_not_offered_any_more_is_void_and_nothing_is_uninstalled(
    assignments: tuple[AssignedIntent, ...],
) -> None:
    decided = plan(fleet(*assignments, jobs={"a1": INSTALLED}))
    assert (decided.make, decided.cancel, decided.recall) == ((), (), ())
    assert decided.void == (("d1", "a1"),)


def test_a_request_outlives_the_time_that_the_app_is_required_and_not_an_uninstallation() -> None:
    assert plan(fleet(replace(AVAILABLE, intent=Intent.REQUIRED))).void == ()
    assert plan(fleet(replace(AVAILABLE, intent=Intent.UNINSTALL))).void == (("d1", "a1"),)
    assert plan(fleet(is_enrolled=False)).void == ()


def test_what_is_withdrawn_while_it_is_under_way_is_cancelled() -> None:
    waiting = replace(INSTALLED, state=JobState.WAITING, outcome=Outcome.FAILED)
    assert plan(fleet(jobs={"a1": waiting})).cancel == ("j",)


@pytest.mark.behaviour("2.9 dependency graph")
def test_an_app_that_was_asked_for_brings_what_it_depends_on() -> None:
    depends = (Relation("a2", RelationMode.AUTO_INSTALL),)
    looked = replace(INSTALLED, outcome=Outcome.EVALUATED, evaluates_only=True)
    assert made(fleet(AVAILABLE, relations=depends, jobs={"a1": looked})) == [("a2", Intent.NOT_TARGETED)]
    assert made(fleet(AVAILABLE, relations=depends, jobs={"a1": looked}, requests={})) == []


@pytest.mark.behaviour("2.9 supersedence")
def test_an_app_that_was_asked_for_takes_the_place_of_an_older_one_and_an_offer_does_not() -> None:
    older = AssignedIntent("a2", "g1", Intent.REQUIRED)
    replaces = (Relation("a2", RelationMode.UPDATE),)
    assert made(fleet(AVAILABLE, older, relations=replaces)) == [("a1", Intent.AVAILABLE)]
    assert made(fleet(AVAILABLE, older, relations=replaces, requests={})) == [("a2", Intent.REQUIRED)]


def test_what_a_required_app_depends_on_is_not_uninstalled_because_somebody_asks() -> None:
    needs = AssignedIntent("a1", "g1", Intent.REQUIRED)
    offered = AssignedIntent("a2", "g1", Intent.AVAILABLE)
    there = replace(INSTALLED, app_id="a2", job_id="k")
    looked = replace(INSTALLED, intent=Intent.REQUIRED, outcome=Outcome.EVALUATED, evaluates_only=True)
    situation = {"jobs": {"a1": looked, "a2": there}, "requests": {"a2": Request(AppRequestKind.UNINSTALL, NOW)}}
    intents = made(fleet(needs, offered, relations=(Relation("a2", RelationMode.AUTO_INSTALL),), **situation))
    assert ("a2", Intent.UNINSTALL) not in intents


@pytest.mark.parametrize(
    ("requests", "words", "wanted"),
    [
        ({}, "available: nobody at the device has asked for it", "nothing of it is wanted on the device"),
        (ASKED, "available: asked for at 2026-03-01 12:00:00 UTC", "revision 1 is wanted, available"),
        (UNASKED, "available: its removal was asked for at 2026-03-01 12:00:00 UTC", "revision 1 is wanted, uninstall"),
    ],
)
def test_why_says_who_has_asked(requests: dict[str, Request], words: str, wanted: str) -> None:
    assigned, asked, end = explain(fleet(AVAILABLE, requests=requests), "d1", "a1", {"g1": "desks"})
    assert assigned.words == "it is available on desks"
    assert (asked.kind, asked.words) == (ReasonKind.REQUEST, words)
    assert end.words == wanted


def test_why_says_nothing_of_requests_where_the_app_is_required() -> None:
    required = replace(AVAILABLE, intent=Intent.REQUIRED)
    kinds = [reason.kind for reason in explain(fleet(required), "d1", "a1", {"g1": "desks"})]
    assert kinds == [ReasonKind.ASSIGNMENT, ReasonKind.WANTED]
