"""The judge of the trials: what counts as lost, as installed twice, as waiting without a reason."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contract.jobs import JobState
from contract.report import WaitReason
from contract.states import Intent, Outcome
from control.views.jobs import JobView
from tests.faults.records import Run, installed_twice, lost, read_runs, without_reason
from tests.faults.row import Row

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def job(**changes: Any) -> JobView:
    fields: dict[str, Any] = dict.fromkeys(JobView.model_fields)
    fields |= {"id": "1", "device_id": "2", "device": "till", "app": "seven", "revision": 1, "attempt": 1}
    fields |= {"intent": Intent.REQUIRED, "generation": 1, "bytes_done": 0, "bytes_total": 0, "created_at": NOW}
    fields |= {"state": JobState.FINISHED, "outcome": Outcome.INSTALLED}
    return JobView.model_construct(**fields | changes)


def begun(attempt: str, *, there: bool = False) -> Run:
    return Run("begin", attempt, "seven", there)


def test_lines_of_installers_are_read_back(tmp_path: Path) -> None:
    (tmp_path / "record").write_text("begin j/1/1 seven absent\nend j/1/1 seven absent\n", encoding="utf-8")
    assert read_runs(tmp_path / "record") == [begun("j/1/1"), Run("end", "j/1/1", "seven", there=False)]
    assert read_runs(tmp_path / "none") == []


def test_two_runs_in_one_attempt_are_one_too_many() -> None:
    assert installed_twice([begun("j/1/1"), begun("j/1/1")]) == ["seven: 2 runs in attempt j/1/1"]


def test_a_run_although_the_app_was_there_is_one_too_many() -> None:
    assert len(installed_twice([begun("j/1/1"), begun("j/2/1", there=True)])) == 1


def test_a_run_for_each_attempt_is_right() -> None:
    assert installed_twice([begun("j/1/1"), begun("j/1/2"), begun("j/2/1")]) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"state": JobState.WAITING, "outcome": Outcome.FAILED},
        {"state": JobState.RUNNING, "outcome": None},
        {"outcome": Outcome.FAILED},
        {"app": "another"},
    ],
)
def test_what_did_not_end_as_installed_is_lost(changes: dict[str, Any]) -> None:
    assert len(lost({"till": ["seven"]}, [job(**changes)])) == 1


def test_what_ended_as_installed_is_not_lost() -> None:
    assert lost({"till": ["seven"]}, [job(), job(app="other", state=JobState.SENT)]) == []


@pytest.mark.parametrize(
    ("changes", "is_reasoned"),
    [
        ({"state": JobState.WAITING, "next_action": "at ..."}, False),
        ({"state": JobState.WAITING, "next_action_at": NOW, "next_action": "at ..."}, False),
        (
            {
                "state": JobState.WAITING,
                "next_action_at": NOW,
                "next_action_reason": WaitReason.GRS,
                "next_action": "at ... because",
            },
            True,
        ),
        ({"state": JobState.SENT, "next_action": ""}, False),
        ({"state": JobState.SENT, "next_action": "the device begins when it has received it"}, True),
        ({"state": JobState.RUNNING, "next_action": ""}, True),
    ],
)
def test_who_waits_says_for_what_and_until_when(changes: dict[str, Any], is_reasoned: bool) -> None:
    assert bool(without_reason([job(**changes)])) is not is_reasoned


def test_the_control_group_has_to_fail_and_all_others_must_not() -> None:
    harmed = Row(fault="a", injected=1, jobs=1, lost=("one",))
    assert not harmed.is_good
    assert Row(fault="a", injected=1, jobs=1).is_good
    assert Row(fault="a", injected=1, jobs=1, lost=("one",), may_fail=True).is_good
    assert not Row(fault="a", injected=1, jobs=1, may_fail=True).is_good


def test_work_that_goes_on_too_late_is_no_success() -> None:
    assert Row(fault="a", injected=1, jobs=1, resumed_seconds=39.0, within_seconds=40.0).is_good
    assert not Row(fault="a", injected=1, jobs=1, resumed_seconds=41.0, within_seconds=40.0).is_good
