"""A small run from nothing to its end, as the command does it: real parts, real devices' processes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.orphans import end_processes, stack_processes

_SECONDS = 600
pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(_SECONDS)]

_REQUESTS = (
    "POST /v1/device/enroll",
    "POST /v1/device/check-in",
    "GET /v1/device/jobs/{id}/policy",
    "POST /v1/device/jobs/{id}/content-info",
    "GET content",
    "POST /v1/device/reports",
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Nothing of a run outlives the test."""
    yield tmp_path
    end_processes(tmp_path / "run")


def run(folder: Path, *options: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    figures = folder / "figures.json"
    command = [sys.executable, "-m", "deploy.simulation.at_scale", "--folder", str(folder / "run")]
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        [*command, "--json", str(figures), *options],
        env=environment,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return done, json.loads(figures.read_text()) if figures.exists() else {}


def test_every_device_gets_its_job_once_and_the_costs_are_told(folder: Path) -> None:
    done, figures = run(folder, "--devices", "20", "--processes", "2", "--apis", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wanted 20 jobs, reported 20 (20 done), lost 0, installed twice 0" in " ".join(done.stdout.split())
    assert figures["told_by_devices"] == {"installed": 20}
    assert figures["rollout_state"] == "finished"
    assert figures["lost"] == figures["installed_twice"] == figures["stumbles"] == 0
    assert {kind: figures["requests"].get(kind) for kind in _REQUESTS} == dict.fromkeys(_REQUESTS, 20)
    parts = {part["name"]: part for part in figures["parts"]}
    assert {"api", "api-2", "worker", "scheduler", "broker", "store", "simulation"} <= set(parts)
    assert parts["simulation"]["processes"] == 2
    assert all(parts[name]["rollout_cpu_seconds"] > 0 for name in ("api", "store", "simulation"))
    assert stack_processes(folder / "run") == [], "nothing is left running"


def test_devices_are_spread_over_several_brokers_each_with_its_dispatcher(folder: Path) -> None:
    done, figures = run(folder, "--devices", "20", "--processes", "1", "--apis", "1", "--shards", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wanted 20 jobs, reported 20 (20 done), lost 0, installed twice 0" in " ".join(done.stdout.split())
    parts = {part["name"]: part for part in figures["parts"]}
    assert {"broker", "broker-2", "dispatcher-first", "dispatcher-broker-2"} <= set(parts)
    assert all(parts[name]["peak_mib"] > 0 for name in ("broker", "broker-2"))
    known = [json.loads(line) for line in (folder / "run" / "devices" / "fleet.jsonl").read_text().splitlines()]
    assert len({identity["broker_url"] for identity in known}) == 2, "each listens where it belongs"
