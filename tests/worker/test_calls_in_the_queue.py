"""A call to check in comes by the device's queue, carries nothing, and leads to nothing else."""

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from celery.contrib.testing.worker import start_worker

from contract.queues import SYNC_TASK
from control.dispatch.celery_app import CeleryDeviceCaller
from control.dispatch.celery_app import make_app as make_control_app
from tests.support.broker import RunningBroker
from tests.worker.queue_end import SECONDS, Device, ScriptedEngine, enrolled_device
from worker.celery_app import make_app
from worker.message_guard import refusal

pytestmark = pytest.mark.integration


@pytest.fixture
def device(valkey: RunningBroker) -> Iterator[Device]:
    with enrolled_device(valkey) as device:
        yield device


@pytest.fixture
def caller(valkey: RunningBroker) -> CeleryDeviceCaller:
    return CeleryDeviceCaller(make_control_app(valkey.control_url))


def test_a_device_that_works_hears_the_call(device: Device, caller: CeleryDeviceCaller) -> None:
    called = threading.Event()
    app = make_app(device.identity, ScriptedEngine(), on_call=called.set)
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=SECONDS):
        caller.call([device.identity.device_id])
        assert called.wait(SECONDS)
    assert device.lengths() == (0, 0)


@pytest.fixture
def message(device: Device, caller: CeleryDeviceCaller) -> dict[str, Any]:
    caller.call([device.identity.device_id])
    return device.take_message()


def test_the_message_is_let_in(message: dict[str, Any]) -> None:
    assert message["headers"]["task"] == SYNC_TASK
    assert refusal(message) is None


@pytest.mark.parametrize(
    "body",
    [
        [["argument"], {}, {"callbacks": None, "errbacks": None, "chord": None, "chain": None}],
        [[], {"key": "value"}, {"callbacks": None, "errbacks": None, "chord": None, "chain": None}],
        [[], {}, {"callbacks": ["task"], "errbacks": None, "chord": None, "chain": None}],
        [[], {}],
        {},
    ],
)
def test_a_call_that_carries_anything_is_refused(message: dict[str, Any], body: Any) -> None:
    assert refusal({**message, "body": b64encode(json.dumps(body).encode()).decode()})


@pytest.mark.parametrize("header", [{"expires": "2030-01-01"}, {"eta": "tomorrow"}, {"group": "g"}, {"retries": -1}])
def test_a_call_with_headers_that_celery_acts_on_is_refused(message: dict[str, Any], header: dict[str, Any]) -> None:
    assert refusal({**message, "headers": message["headers"] | header})
