"""What an operator sees in Flower, read through Flower's own API."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from contract.phases import PHASES, Phase
from contract.queues import phase_task
from deploy.demo.devices import DEVICES
from tests.e2e.conftest import SECONDS, Demo, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.e2e]


@pytest.fixture
def flower(demo: Demo) -> Iterator[httpx.Client]:
    addresses = demo.stack.addresses
    login = (addresses.flower_user, addresses.flower_password)
    with httpx.Client(base_url=addresses.flower_url, auth=login, timeout=SECONDS) as client:
        yield client


def _get(flower: httpx.Client, path: str) -> Any:
    return flower.get(path).raise_for_status().json()


def test_the_three_devices_are_workers(flower: httpx.Client) -> None:
    names: set[str] = set()

    def all_there() -> bool:
        names.update(worker["hostname"] for worker in _get(flower, "/workers?json=1")["data"])
        return all(any(name.endswith(f"@{device.name}") for name in names) for device in DEVICES)

    wait_until(all_there, what=lambda: names)


def _succeeded(flower: httpx.Client, phase: Phase) -> dict[str, dict[str, Any]]:
    tasks: dict[str, dict[str, Any]] = _get(flower, f"/api/tasks?taskname={phase_task(phase)}&state=SUCCESS")
    return tasks


def test_the_phases_are_tasks_with_their_runtimes(flower: httpx.Client) -> None:
    # A device tells of its tasks a moment after them.
    wait_until(lambda: all(_succeeded(flower, phase) for phase in PHASES), what=lambda: "not all phases are there")
    for phase in PHASES:
        for task in _succeeded(flower, phase).values():
            assert task["runtime"] > 0
            assert task["worker"].partition("@")[2] in {device.name for device in DEVICES}


def test_arguments_are_masked(flower: httpx.Client) -> None:
    tasks = _get(flower, "/api/tasks?limit=5")
    assert tasks
    assert all("job_id" not in str(task) for task in tasks.values())


def test_nobody_looks_in_without_the_password(demo: Demo) -> None:
    for path in ("/", "/api/workers", "/api/tasks"):
        answer = httpx.get(f"{demo.stack.addresses.flower_url}{path}", timeout=SECONDS)
        assert answer.status_code == httpx.codes.UNAUTHORIZED
