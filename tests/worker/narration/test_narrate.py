"""The table of steps, and saying one."""

import io
import json
import string
from pathlib import Path

import pytest
import structlog

from tests.worker.agent_logs import json_lines, logging_into
from worker.logs.files import EXTENSION
from worker.narration.narrate import narrate
from worker.narration.steps import Step


def test_there_are_32_steps_in_order() -> None:
    assert [step.number for step in Step] == list(range(1, 33))


@pytest.mark.parametrize("step", Step)
def test_a_step_names_who_speaks_and_what(step: Step) -> None:
    assert step.part
    assert step.template
    assert all(name is None or name.isidentifier() for _, name, _, _ in string.Formatter().parse(step.template))


def test_a_step_is_a_sentence_for_people_and_facts_for_programs(tmp_path: Path) -> None:
    people = io.StringIO()
    with logging_into(tmp_path, people):
        narrate(Step.UNZIPPING, staging="/staging", cache="/cache")
        narrate(Step.POLICY_RECEIVED, policy={"name": "Grüße", "mac_key": "AAAA"})
    unzipping, policy = json_lines(tmp_path)
    assert (unzipping["step"], unzipping["part"], unzipping["cache"]) == (18, "Content", "/cache")
    assert unzipping["event"] == "Unzipping from /staging to /cache"
    assert json.loads(policy["event"].removeprefix("Get policies = "))["name"] == "Grüße"
    assert policy["policy"]["name"] == "Grüße"
    assert "AAAA" not in json.dumps(policy)
    assert "[Content] Unzipping from /staging to /cache\n" in people.getvalue()
    assert "<![LOG[[Content] Unzipping from" in (tmp_path / f"{EXTENSION}.log").read_text(encoding="utf-8-sig")


def test_no_secret_is_handed_to_whatever_logs_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = structlog.testing.CapturingLogger()
    monkeypatch.setattr("worker.narration.narrate._log", logger)
    narrate(Step.POLICY_RECEIVED, policy={"name": "Editor", "content": {"mac_key": "AAAA"}})
    assert "Editor" in str(logger.calls)
    assert "AAAA" not in str(logger.calls)


def test_a_step_without_one_of_its_facts_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError, match="cache"):
        narrate(Step.UNZIPPING, staging="/staging")
