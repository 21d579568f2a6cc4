"""What is said of rules' scripts, and where."""

import io
from pathlib import Path

import pytest

from contract.rules import ScriptRule
from tests.worker.agent_logs import json_lines, logging_into
from tests.worker.rig import Rig
from worker.judgement.verdict import CannotTellError
from worker.logs.files import EXECUTOR


@pytest.mark.behaviour("B-32")
def test_a_script_and_its_outcome_stand_in_the_log_of_scripts(rig: Rig, tmp_path: Path) -> None:
    with logging_into(tmp_path, io.StringIO()):
        rig.device.machine.run_script(ScriptRule(script_content="echo Grüße; echo oh >&2; exit 3"))
    log = (tmp_path / f"{EXECUTOR}.log").read_text(encoding="utf-8-sig")
    assert log.count("<![LOG[") == 2
    ended = json_lines(tmp_path)[-1]
    assert (ended["exit_code"], ended["output"], ended["errors"]) == (3, "Grüße\n", "oh\n")
    assert "Grüße" in log


def test_a_script_that_runs_too_long_stands_there_as_a_warning(rig: Rig, tmp_path: Path) -> None:
    with logging_into(tmp_path, io.StringIO()), pytest.raises(CannotTellError):
        rig.device.machine.run_script(ScriptRule(script_content="sleep 60", time_limit_seconds=0.2))
    assert 'type="2"' in (tmp_path / f"{EXECUTOR}.log").read_text(encoding="utf-8-sig")
