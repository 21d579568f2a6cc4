"""A real agent, API and store; the attacker has every right on their broker."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from storage.objects.s3_settings import S3Settings
from tests.security.site import Agent, Site, enrolled_agent, running_site
from tests.support.broker import RunningBroker


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("broker-owner")


@pytest.fixture(scope="module")
def site(folder: Path, valkey: RunningBroker, swift: S3Settings) -> Iterator[Site]:
    store = swift.model_copy(update={"bucket": f"test-{uuid.uuid4().hex}"})
    # The devices here check in every second: what they count is to be seen soon.
    with running_site(folder, valkey, store, device_requests_per_second=50) as running:
        yield running


@pytest.fixture(scope="module")
def agent(site: Site, folder: Path) -> Iterator[Agent]:
    """One agent for all attacks of a file: it is never to stop."""
    agent = enrolled_agent(site, folder, "desk-1")
    with agent.running(OUTRIDER_AGENT_CHECK_IN_INTERVAL_SECONDS="1"):
        yield agent


@pytest.fixture
def broker(valkey: RunningBroker) -> Iterator[redis.Redis]:
    """Every right there is."""
    with redis.Redis.from_url(valkey.control_url) as connection:
        yield connection
