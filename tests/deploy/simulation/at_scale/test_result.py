"""What a run came to: what is lost is counted, and said."""

import json
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from deploy.simulation.at_scale.result import PartCost, RunResult, tables

API = PartCost(name="api", enrolment_cpu_seconds=2, rollout_cpu_seconds=3, peak_mib=170, processes=1)
STORE = PartCost(name="store", enrolment_cpu_seconds=0, rollout_cpu_seconds=1, peak_mib=80, processes=1)


def result(**other: Any) -> RunResult:
    usual: dict[str, Any] = {
        "devices": 100,
        "processes": 4,
        "apis": 1,
        "shards": 1,
        "database": "sqlite",
        "enrolment_seconds": 10,
        "rollout_seconds": 20,
        "rollout_state": "finished",
        "reported": 100,
        "outcomes": {"done": 100},
        "told_by_devices": {"installed": 100},
        "installed_twice": 0,
        "stumbles": 0,
        "requests": {"POST /v1/device/reports": 100, "GET content": 99},
        "refused": {},
        "bytes_sent": 1_000_000,
        "bytes_received": 2_000_000,
        "parts": (API, STORE),
        "load": (0.5, 2.0),
        "cores": 2,
    }
    return RunResult.model_validate(usual | other)


def printed(of: RunResult) -> str:
    paper = StringIO()
    Console(file=paper, width=120).print(tables(of))
    return paper.getvalue()


def test_all_reported_once_is_good() -> None:
    assert result().is_good
    assert result().lost == 0


@pytest.mark.parametrize(
    "wrong",
    [{"reported": 99}, {"installed_twice": 1}, {"problem": "nothing moved"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_anything_less_is_not(wrong: dict[str, Any]) -> None:
    assert not result(**wrong).is_good


def test_what_is_lost_is_in_the_json_and_in_the_words() -> None:
    short = result(reported=97, outcomes={"done": 97, "under way": 3}, problem="nothing moved for 600 s")
    assert json.loads(short.model_dump_json())["lost"] == 3
    words = " ".join(printed(short).split())
    assert "wanted 100 jobs, reported 97 (97 done, 3 under way), lost 3, installed twice 0" in words
    assert "nothing moved for 600 s" in words


def test_costs_are_told_by_part_and_for_a_device() -> None:
    lines = printed(result()).splitlines()
    cells = {line.split()[1]: line.replace("│", " ").split() for line in lines if line.startswith("│")}
    assert cells["api"] == ["api", "1", "2.0", "3.0", "50.00", "170"]
    assert cells["all"] == ["all", "2.0", "4.0", "60.00", "250"]
    assert any("5.0 jobs a second" in line for line in lines)


def test_refusals_are_told_by_status() -> None:
    assert "refused: 4 with 429, 2 with 503" in printed(result(refused={503: 2, 429: 4}))
