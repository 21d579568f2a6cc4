"""A real package reaches three real devices."""

from datetime import timedelta

import pytest

from contract.jobs import JobState
from contract.phases import PHASES, Phase
from contract.report import WaitReason
from deploy.demo.devices import CANNOT_CREATE, DEVICES, DemoDevice
from deploy.demo.verdict import shortcomings
from tests.e2e.conftest import Demo

pytestmark = [pytest.mark.integration, pytest.mark.e2e]


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
def test_each_device_ends_as_its_story_wants(demo: Demo, device: DemoDevice) -> None:
    assert shortcomings(device, demo.jobs[device.name]) == []


def test_the_app_runs_where_it_was_installed(demo: Demo) -> None:
    assert (demo.home("laptop-new") / "apps" / "hello" / "hello").exists()


def test_a_full_job_tells_the_time_of_all_eleven_phases(demo: Demo) -> None:
    records = demo.jobs["laptop-new"].phases
    assert [record.phase for record in records] == list(PHASES)
    install = next(record for record in records if record.phase is Phase.INSTALL)
    assert install.duration_seconds >= 2


def test_an_app_that_is_there_costs_five_phases_and_no_bytes(demo: Demo) -> None:
    job = demo.jobs["laptop-has-it"]
    assert [record.phase.value for record in job.phases] == ["poll", "metadata", "detect", "compliance", "report"]
    assert sum(record.bytes_done for record in job.phases) == 0


def test_a_failure_says_its_exit_code_what_to_do_and_when_it_goes_on(demo: Demo) -> None:
    job = demo.jobs["laptop-blocked"]
    assert job.state is JobState.WAITING
    assert (job.error_code, job.error_number, job.raw_exit_code) == ("installer-failed", 0x80070049, CANNOT_CREATE)
    assert job.hint
    assert job.output_tail.splitlines()[-1].startswith("cannot make")
    assert job.next_action_reason is WaitReason.RETRY_INTERVAL
    assert job.next_action_at is not None
    ended = max(record.ended_at for record in job.phases)
    assert timedelta(seconds=295) < job.next_action_at - ended < timedelta(seconds=305)


def test_the_operator_reads_what_the_installer_said_last(demo: Demo) -> None:
    shown = demo.run("outrider device show laptop-blocked").stdout
    assert "the installer's last words:" in shown
    assert "cannot make" in shown


def test_no_token_is_shown(demo: Demo) -> None:
    assert "outrider-agent enroll" in demo.shown
    assert demo.operator.environment["OUTRIDER_TOKEN"] not in demo.shown
    assert "•••" in demo.shown
