"""What the log of a device says of an install, from the agent's start to the report."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.phases import Phase
from contract.policy import Requirements
from contract.states import Intent
from tests.worker.agent_logs import json_lines, logging_into
from tests.worker.rig import Rig
from worker.narration.start import agent_starts


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "logs"
    folder.mkdir()
    with logging_into(folder, io.StringIO()):
        yield folder


def _steps(logs: Path) -> list[int]:
    return [line["step"] for line in json_lines(logs) if "step" in line]


@pytest.mark.behaviour("B-20", "B-23", "B-24", "B-29", "B-30", "B-43", "B-61")
def test_an_install_says_the_32_steps_in_order(rig: Rig, logs: Path) -> None:
    agent_starts(rig.device)
    rig.run(rig.new_job())
    steps = _steps(logs)
    assert steps == sorted(steps)
    assert sorted(set(steps)) == list(range(1, 33))


@pytest.mark.behaviour("B-33")
def test_an_app_that_is_there_says_no_step_of_download_or_install(rig: Rig, logs: Path) -> None:
    rig.run(rig.new_job())
    before = len(_steps(logs))
    rig.run(rig.new_job())
    steps = _steps(logs)[before:]
    assert steps == [6, 7, 8, 9, 10, 11, 28, 29, 30, 31, 32]


def test_an_app_whose_requirements_are_not_met_ends_after_them(rig: Rig, logs: Path) -> None:
    rig.run(rig.new_job(requirements=Requirements(minimum_memory_in_mb=1 << 40)))
    assert [step for step in _steps(logs) if step < 28] == [6, 7, 8, 9, 10, 11, 12]


def test_a_failed_command_says_its_exit_code_and_keeps_the_content(rig: Rig, logs: Path) -> None:
    (rig.target / "fail").write_text("73", encoding="utf-8")
    rig.run(rig.new_job())
    steps = _steps(logs)
    assert [step for step in steps if 20 <= step < 31] == [20, 21, 22, 23, 24, 25, 28, 29]
    (judged,) = (line for line in json_lines(logs) if line.get("step") == 24)
    assert judged["event"] == "lpExitCode 73: failed"


def test_a_command_that_cannot_start_says_nothing_of_its_end(rig: Rig, logs: Path) -> None:
    rig.run(rig.new_job(commands={"install": "no-such-program", "uninstall": "true"}))
    assert 20 in _steps(logs)
    assert not {23, 24, 25} & set(_steps(logs)[-4:])


def test_an_uninstall_says_its_steps_in_order_too(rig: Rig, logs: Path) -> None:
    (rig.target / "editor").touch()
    rig.run(rig.new_job(intent=Intent.UNINSTALL))
    steps = _steps(logs)
    assert steps == sorted(steps)
    command = next(line for line in json_lines(logs) if line.get("step") == 22)
    assert command["command_line"] == "sh uninstall.sh"


@pytest.mark.behaviour("B-24")
def test_the_policy_is_shown_whole_but_for_its_keys(rig: Rig, logs: Path) -> None:
    policy = rig.policy()
    rig.run(rig.new_job(), until=Phase.METADATA)
    (line,) = (line for line in json_lines(logs) if line.get("step") == 8)
    shown = json.loads(line["event"].removeprefix("Get policies = "))
    assert shown["commands"] == policy.commands.model_dump()
    assert shown["content"]["digest"] == policy.content.digest
    assert shown["content"]["mac_key"] == "[redacted]"


def test_every_step_says_which_job_attempt_phase_and_app_it_belongs_to(rig: Rig, logs: Path) -> None:
    ref = rig.new_job()
    rig.run(ref)
    lines = [line for line in json_lines(logs) if line.get("step", 0) > 10]
    assert {(line["job"], line["attempt"], line["app"], line["app_id"]) for line in lines} == {
        (ref.job_id, 1, "Editor", "editor")
    }
    assert {line["phase"] for line in lines} == {phase.value for phase in Phase} - {"poll", "metadata"}


def test_the_end_of_each_phase_says_how_long_and_how_much(rig: Rig, logs: Path) -> None:
    rig.run(rig.new_job())
    ends = {line["event"]: line for line in json_lines(logs) if line["event"].endswith(" done")}
    assert len(ends) == len(Phase)
    assert ends["download done"]["bytes"] == rig.content.ref.size
    assert all(line["duration_seconds"] >= 0 for line in ends.values())
