"""All jobs of a device, page by page."""

import json
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from typer.testing import Result

from contract.jobs import JobState
from contract.states import Intent
from control.database.tables import Job, Role
from tests.control.plane import Plane, SignedDevice

JOBS = 105


@pytest.fixture
def busy(plane: Plane, enrolled: Callable[..., SignedDevice]) -> SignedDevice:
    """A device with more jobs than its page shows."""
    plane.publish()
    device, app_id, now = enrolled(), plane.app_id(), plane.clock.now()
    with plane.services.database.transaction() as session:
        for number in range(JOBS):
            made = now + timedelta(seconds=number)
            fields = {"device_id": device.device_id, "app_id": app_id, "revision": 1, "intent": Intent.REQUIRED}
            job = Job(id=str(uuid4()), **fields, state=JobState.FINISHED, is_newest=number == JOBS - 1, created_at=made)
            session.add(job)
    return device


def test_the_page_of_a_device_has_the_newest_jobs_and_says_that_there_are_more(
    busy: SignedDevice, client: httpx.Client, operator: Callable[[Role], dict[str, str]]
) -> None:
    shown = client.get(f"/v1/devices/{busy.device_id}", headers=operator(Role.VIEWER)).json()
    assert (len(shown["jobs"]), shown["has_more_jobs"]) == (100, True)


def test_all_of_them_are_listed_page_by_page(
    busy: SignedDevice, client: httpx.Client, operator: Callable[[Role], dict[str, str]]
) -> None:
    headers = operator(Role.VIEWER)
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"limit=50&cursor={cursor}" if cursor else "limit=50"
        page = client.get(f"/v1/devices/desk-1/jobs?{query}", headers=headers).json()
        found += [job["id"] for job in page["items"]]
        assert len(page["items"]) <= 50
        cursor = page["next_cursor"]
    assert len(set(found)) == len(found) == JOBS


def test_the_command_names_the_one_that_lists_all(busy: SignedDevice, outrider: Callable[..., Result]) -> None:
    assert f"outrider device jobs {busy.device_id}" in outrider("device", "show", "desk-1").stdout
    assert len(json.loads(outrider("device", "jobs", "desk-1", "--json").stdout)) == JOBS
    assert outrider("device", "jobs", "desk-1").stdout.count("Editor r1") == JOBS
