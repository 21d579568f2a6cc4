"""`outrider status`, `errors`, `why`, `wait`, `sync`, `rerun-detection`: what they print, and how they end."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from contract.exit_statuses import ExitStatus
from contract.jobs import JobRef
from contract.report import WaitReason
from contract.states import EnforcementState, Outcome
from control.cli.wait import Until, Verdict, judge
from control.views.status import JobSummary
from tests.control.plane import Plane, SignedDevice, failed_report_of, report_of, retry_at

Outrider = Callable[..., Result]
Sent = tuple[SignedDevice, JobRef]

NOTHING = JobSummary(
    jobs=0, done=0, not_applicable=0, failed=0, cancelled=0, retrying=0, under_way=0, offline=0, counts=()
)


def document(result: Result) -> Any:
    """What was printed as JSON."""
    return json.loads(result.stdout)


def fail_for_good(plane: Plane, sent: Sent) -> None:
    device, ref = sent
    grs = retry_at(plane.clock.now(), ref).model_copy(update={"reason": WaitReason.GRS})
    device.report(failed_report_of(ref, device.device_id, next_action=grs))


def test_status_begins_with_the_numbers(outrider: Outrider, sent: Sent) -> None:
    device, ref = sent
    assert any(line.startswith("1 jobs  1 under way") for line in outrider("status").stdout.splitlines())
    device.report(report_of(ref, device.device_id))
    shown = outrider("status", "Editor").stdout
    assert "1 jobs  1 as wanted" in shown
    assert "100% as wanted" in shown
    assert "desk-1" in shown
    assert "desk-1" not in outrider("status", "--summary").stdout


def test_status_as_json_is_a_list_or_the_numbers(outrider: Outrider, sent: Sent) -> None:
    assert sent
    assert document(outrider("status", "desks", "--json"))[0]["device"] == "desk-1"
    assert document(outrider("status", "desks", "--summary", "--json"))["under_way"] == 1


def test_an_app_that_waits_for_another_says_for_which_and_that_one_for_whom(
    plane: Plane, enrolled: Callable[..., SignedDevice], outrider: Outrider
) -> None:
    device = enrolled(group_id=plane.group("desks"))
    plane.publish(name="Runtime")
    plane.publish(dependencies=[{"app": "Runtime"}])
    plane.assign("desks")
    plane.plan()
    ((_, ref),) = plane.dispatch()
    assert "Editor r1 required, only looks, sent" in outrider("device", "show", "desk-1").stdout
    looked = {"outcome": Outcome.EVALUATED, "enforcement_state": EnforcementState.NOT_ATTEMPTED}
    assert device.report(report_of(ref, device.device_id, **looked)).status_code == 200
    shown = outrider("device", "show", "desk-1").stdout
    assert "waits for: relation (Runtime), since" in shown
    assert "next: Runtime, which it depends on, is installed first" in shown
    assert "Runtime r1 not-targeted for Editor, planned" in shown
    status = outrider("status").stdout
    assert "1 held (relation (Runtime))" in status
    assert "Runtime r1 for Editor" in status
    jobs = {job["app"]: job for job in document(outrider("device", "show", "desk-1", "--json"))["jobs"]}
    assert (jobs["Editor"]["waits_for_app"], jobs["Editor"]["evaluates_only"]) == ("Runtime", True)
    assert (jobs["Runtime"]["for_app"], jobs["Runtime"]["evaluates_only"]) == ("Editor", False)


def test_without_jobs_status_says_so(outrider: Outrider) -> None:
    assert "no jobs" in outrider("status").stdout
    assert outrider("errors").stdout.strip() == "No job has an error."
    assert outrider("errors", "--past").stdout.strip() == "No job ever had an error."


def test_errors_are_shown_with_their_hint(plane: Plane, outrider: Outrider, sent: Sent) -> None:
    fail_for_good(plane, sent)
    shown = outrider("errors", "Editor").stdout
    assert "installer-failed" in shown
    assert "0x80070007" in shown
    assert "\n\ninstaller-failed: " in shown
    assert "installer-failed" in outrider("errors", "--past", "--app", "Editor").stdout


def test_why_is_a_numbered_chain(plane: Plane, outrider: Outrider, sent: Sent) -> None:
    fail_for_good(plane, sent)
    shown = outrider("why", "desk-1", "Editor").stdout
    assert shown.startswith("Editor on desk-1 is not as wanted:\n  1. plan: ")
    assert "error: installer-failed, exit code 7" in shown
    assert document(outrider("why", "desk-1", "Editor", "--json"))["as_wanted"] is False


def test_waiting_ends_well_when_all_is_as_wanted(outrider: Outrider, sent: Sent) -> None:
    device, ref = sent
    device.report(report_of(ref, device.device_id))
    result = outrider("wait", "Editor", "--until", "installed", "--timeout", "5s")
    assert (result.exit_code, "1 as wanted" in result.stdout) == (ExitStatus.OK, True)


def test_waiting_for_what_has_failed_ends_at_once_with_a_status_of_its_own(
    plane: Plane, outrider: Outrider, sent: Sent
) -> None:
    fail_for_good(plane, sent)
    result = outrider("wait", "Editor", "--json")
    assert (result.exit_code, document(result)["verdict"]) == (ExitStatus.ENDED_BADLY, "impossible")
    assert outrider("wait", "Editor", "--until", "settled").exit_code == ExitStatus.OK


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["wait", "Nothing"], ExitStatus.USAGE),
        (["wait", "--until", "tomorrow"], ExitStatus.USAGE),
        (["wait", "--timeout", "soon"], ExitStatus.USAGE),
        (["status", "--state", "lost"], ExitStatus.USAGE),
        (["why", "nobody", "Editor"], ExitStatus.USAGE),
        (["sync"], ExitStatus.USAGE),
        (["sync", "nobody"], ExitStatus.USAGE),
        (["rerun-detection"], ExitStatus.USAGE),
    ],
)
def test_what_is_wrong_has_the_status_of_wrong_input(outrider: Outrider, arguments: list[str], status: int) -> None:
    assert outrider(*arguments).exit_code == status


@pytest.mark.parametrize(
    ("changes", "until", "fail_fast", "verdict"),
    [
        ({}, Until.INSTALLED, False, Verdict.OPEN),
        ({"jobs": 1, "done": 1}, Until.INSTALLED, False, Verdict.REACHED),
        ({"jobs": 2, "done": 1, "not_applicable": 1}, Until.INSTALLED, False, Verdict.REACHED),
        ({"jobs": 2, "done": 1, "under_way": 1}, Until.INSTALLED, False, Verdict.OPEN),
        ({"jobs": 2, "done": 1, "retrying": 1}, Until.SETTLED, False, Verdict.OPEN),
        ({"jobs": 2, "failed": 1, "under_way": 1}, Until.INSTALLED, False, Verdict.OPEN),
        ({"jobs": 2, "failed": 1, "under_way": 1}, Until.INSTALLED, True, Verdict.IMPOSSIBLE),
        ({"jobs": 2, "failed": 1, "done": 1}, Until.INSTALLED, False, Verdict.IMPOSSIBLE),
        ({"jobs": 2, "cancelled": 1, "done": 1}, Until.INSTALLED, False, Verdict.IMPOSSIBLE),
        ({"jobs": 2, "failed": 1, "done": 1}, Until.SETTLED, True, Verdict.REACHED),
    ],
)
def test_how_waiting_stands(changes: dict[str, int], until: Until, *, fail_fast: bool, verdict: Verdict) -> None:
    assert judge(NOTHING.model_copy(update=changes), until, fail_fast=fail_fast) is verdict


def test_sync_says_who_is_called(outrider: Outrider, sent: Sent) -> None:
    assert sent
    dry = outrider("sync", "--group", "desks", "--dry-run").stdout
    assert "Nothing is done yet. Of 1 devices: 1 called, 0 offline." in dry
    assert "Of 1 devices: 1 called" in outrider("sync", "desk-1").stdout
    assert document(outrider("sync", "--all", "--json"))["devices"] == ["desk-1"]


def test_detection_is_asked_for_again(outrider: Outrider, sent: Sent) -> None:
    device, ref = sent
    device.report(report_of(ref, device.device_id))
    assert "Of 1 jobs: 1 sent anew." in outrider("rerun-detection", "--app", "Editor").stdout
    assert "Of 1 jobs: 1 unchanged." in outrider("rerun-detection", "--all").stdout
