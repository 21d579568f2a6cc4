from collections.abc import Iterator

import pytest

from contract.clock import SystemClock
from tests.worker.rig import Rig
from tests.worker.uplink.server import Server, serving
from worker.settings import AgentSettings
from worker.uplink.http import HttpUplink
from worker.uplink.transport import http_client


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def settings() -> AgentSettings:
    return AgentSettings(connect_timeout_seconds=30, read_timeout_seconds=30)


@pytest.fixture
def uplink(server: Server, rig: Rig, settings: AgentSettings) -> Iterator[HttpUplink]:
    with http_client(settings, base_url=server.url) as client:
        yield HttpUplink(client, rig.identity, SystemClock())
