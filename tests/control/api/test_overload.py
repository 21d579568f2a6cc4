"""Overload: what is too much is refused at once, with a time to come again that spreads the fleet."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import httpx
import pytest

from contract.errors import RateLimitedError
from contract.uplink import ORDERS_PATH, JobOrder, Problem
from control.settings import ControlSettings
from tests.control.plane import Plane, SignedDevice
from worker.uplink.problems import refusal

AT_ONCE = 2


@pytest.fixture
def settings(settings: ControlSettings) -> ControlSettings:
    return settings.model_copy(update={"device_requests_at_once": AT_ONCE})


@pytest.fixture
def busy(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[Barrier, Event]]:
    """Make questions for orders take until they are let go."""

    def hold() -> tuple[Barrier, Event]:
        begun, let_go = Barrier(AT_ONCE + 1), Event()

        def slow(*_arguments: object) -> tuple[JobOrder, ...]:
            begun.wait(10)
            assert let_go.wait(10)
            return ()

        monkeypatch.setattr("control.api.device_routes.standing_orders", slow)
        return begun, let_go

    return hold


def test_more_than_the_process_takes_on_is_told_when_to_come_again(
    plane: Plane,
    client: httpx.Client,
    enrolled: Callable[..., SignedDevice],
    busy: Callable[[], tuple[Barrier, Event]],
) -> None:
    device = enrolled()
    begun, let_go = busy()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        held = [pool.submit(device.orders) for _ in range(AT_ONCE)]
        begun.wait(10)
        refused = [client.get(ORDERS_PATH) for _ in range(3)]
        healthy = client.get("/v1/health").status_code
        let_go.set()
    assert [future.result() for future in held] == [()] * AT_ONCE
    assert [response.status_code for response in refused] == [503] * 3
    assert Problem.model_validate_json(refused[0].content).code == "api-overloaded"
    waits = [float(response.headers["Retry-After"]) for response in refused]
    assert len(set(waits)) == 3
    assert healthy == 200
    error = refusal(refused[0])
    assert isinstance(error, RateLimitedError)
    assert error.retry_after_seconds == waits[0]
    assert client.get(ORDERS_PATH).status_code == 401, "it serves again"
