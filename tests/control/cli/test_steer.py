"""`outrider retry` and `outrider cancel`: what they print and the status they end with."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import Result

from contract.exit_statuses import ExitStatus
from contract.jobs import JobRef
from control.database.tables import Role
from tests.control.plane import Plane, SignedDevice, failed_report_of, progress_of, report_of, retry_at

Outrider = Callable[..., Result]


@pytest.fixture
def outrider(outrider_as: Callable[[Role], Outrider]) -> Outrider:
    """Run `outrider` with an operator's token: no more is needed for any of this."""
    return outrider_as(Role.OPERATOR)


def document(result: Result) -> Any:
    """What was printed as JSON."""
    return json.loads(result.stdout)


def test_retry_and_cancel_say_what_came_of_it(
    plane: Plane, outrider: Outrider, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = sent
    device.report(failed_report_of(ref, device.device_id, next_action=retry_at(plane.clock.now(), ref)))
    dry = outrider("retry", "--app", "Editor", "--dry-run").stdout
    assert "Nothing is done yet. Of 1 jobs: 1 sent anew." in dry
    assert "Of 1 jobs: 1 sent anew." in outrider("retry", ref.job_id).stdout
    cancelled = outrider("cancel", "--device", "desk-1", "--app", "Editor")
    assert (cancelled.exit_code, "1 being cancelled" in cancelled.stdout) == (ExitStatus.OK, True)
    again = document(outrider("cancel", ref.job_id, "--json"))
    assert (again["changes"], again["jobs"][0]["id"]) == ({"unchanged": 1}, ref.job_id)


def test_a_job_that_cannot_be_steered_is_a_clear_error(outrider: Outrider, sent: tuple[SignedDevice, JobRef]) -> None:
    device, ref = sent
    device.report(report_of(ref, device.device_id))
    for command in ("retry", "cancel"):
        ended = outrider(command, ref.job_id)
        assert ended.exit_code == ExitStatus.USAGE
        assert "The job has ended already." in ended.stderr
        assert "Editor on desk-1" in ended.stderr
    assert outrider("retry", ref.job_id, "--force").exit_code == ExitStatus.OK


@pytest.mark.parametrize("command", ["retry", "cancel"])
def test_whom_it_is_about_must_be_said_in_one_way(outrider: Outrider, command: str) -> None:
    for arguments in ([], ["some-job", "--app", "Editor"]):
        ended = outrider(command, *arguments)
        assert ended.exit_code == ExitStatus.USAGE
        assert "expected either a job's id" in ended.stderr
    nothing = outrider(command, "--group", "desks")
    assert (nothing.exit_code, "There is no such group." in nothing.stderr) == (ExitStatus.USAGE, True)


def test_no_match_is_no_error(plane: Plane, outrider: Outrider) -> None:
    plane.group("desks")
    assert "No job matches." in outrider("cancel", "--group", "desks").stdout


def test_a_devices_page_says_what_each_job_waits_for(
    plane: Plane, outrider: Outrider, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = sent
    device.report(
        failed_report_of(ref, device.device_id, next_action=retry_at(plane.clock.now() + timedelta(hours=1), ref))
    )
    shown = outrider("device", "show", "desk-1").stdout
    for words in ("waits for: next-attempt, since ", "next: next attempt at ", "because the attempt failed", "(in "):
        assert words in shown


def test_status_counts_what_waits_for_what(plane: Plane, outrider: Outrider, sent: tuple[SignedDevice, JobRef]) -> None:
    device, ref = sent
    assert "1 jobs: 1 sent (begin)" in outrider("status").stdout
    device.progress(progress_of(ref))
    assert "1 running (phase)" in outrider("status").stdout
    device.report(report_of(ref, device.device_id))
    assert "1 finished (installed)" in outrider("status").stdout
    plane.clock.advance(timedelta(days=1))
    plane.publish(displayVersion="2.0")
    plane.plan()
    shown = outrider("status").stdout
    assert "1 planned (device)" in shown
    assert "the device is offline since" in shown
