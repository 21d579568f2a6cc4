"""Flower with 1,000 devices, by the events that real workers send: it shows them all, in a time and memory that do."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
import pytest
from celery import Celery
from celery.events import EventDispatcher

from contract.phases import PHASES
from contract.queues import phase_task
from control.dispatch.celery_app import make_app
from deploy.local.addresses import StackAddresses, resolve
from deploy.local.control_parts import flower_part
from deploy.local.layout import StackLayout
from deploy.local.outside import OutsideParts
from deploy.local.polling import wait_until
from deploy.local.ports import find_free_port
from deploy.local.secret_values import StackSecrets
from tests.support.broker import RunningBroker
from tests.support.servers import running

pytestmark = [pytest.mark.integration, pytest.mark.long]

DEVICES = 1000
#: More than this and nobody would keep it open beside other things.
MOST_SECONDS = 10.0
MOST_MEGABYTES = 400
_EVENTS_SECONDS = 180


@pytest.fixture
def addresses(valkey: RunningBroker, tmp_path: Path) -> Iterator[StackAddresses]:
    """A dashboard as the stack starts it."""
    ports = {name: find_free_port() for name in ("broker", "store", "api", "flower")}
    found = resolve(StackLayout.at(tmp_path), OutsideParts(broker_url=valkey.flower_url), StackSecrets(), ports)
    with running(flower_part(found), tmp_path):
        yield found


def work(app: Celery, device: str) -> None:
    """What a device's worker tells of itself and of one job, argument by argument as a real one does."""
    with app.connection_for_write() as connection:
        events = EventDispatcher(connection, hostname=device, app=app)
        events.send("worker-online", freq=60, sw_ident="py-celery", sw_ver="5", sw_sys="Linux")
        for phase in PHASES:
            task_id = str(uuid4())
            events.send("task-received", uuid=task_id, name=phase_task(phase), args="...", kwargs="...", retries=0)
            events.send("task-started", uuid=task_id)
            events.send("task-succeeded", uuid=task_id, runtime=0.1, result="None")
        events.send("worker-heartbeat", freq=60, active=0, processed=len(PHASES))
        events.close()


def dashboard() -> psutil.Process:
    """The dashboard's process, a child of this one."""
    (found,) = [one for one in psutil.Process().children(recursive=True) if "flower" in " ".join(one.cmdline())]
    return found


def test_a_thousand_devices_are_shown(
    valkey: RunningBroker, addresses: StackAddresses, record_property: Callable[[str, object], None]
) -> None:
    app = make_app(valkey.control_url)
    before = dashboard().memory_info().rss
    for number in range(DEVICES):
        work(app, f"device.{uuid4()}@desk-{number}")
    login = (addresses.flower_user, addresses.flower_password)
    with httpx.Client(base_url=addresses.flower_url, auth=login, timeout=60) as visitor:

        def shown() -> int:
            return len(visitor.get("/workers?json=1").raise_for_status().json()["data"])

        assert wait_until(lambda: shown() == DEVICES, seconds=_EVENTS_SECONDS), shown()
        took = {}
        for path in ("/workers", "/workers?json=1", "/tasks", "/api/tasks?limit=100"):
            begun = time.monotonic()
            assert visitor.get(path).status_code == httpx.codes.OK
            took[path] = time.monotonic() - begun
    megabytes = dashboard().memory_info().rss / 1e6
    figures = ", ".join(f"{path} {seconds:.2f} s" for path, seconds in took.items())
    record_property("flower", f"{DEVICES} devices: {figures}; {megabytes:.0f} MB, {before / 1e6:.0f} at its start")
    assert max(took.values()) < MOST_SECONDS
    assert megabytes < MOST_MEGABYTES
