"""What the control plane's processes and the agents are told."""

from pathlib import Path

import pytest

from control.settings import load_settings
from deploy.local.addresses import StackAddresses, resolve
from deploy.local.broker_rules import BrokerUser
from deploy.local.control_parts import (
    agent_part,
    api_part,
    control_environment,
    flower_part,
    program,
    scheduler_part,
    worker_part,
)
from deploy.local.layout import StackLayout
from deploy.local.outside import OutsideParts
from deploy.local.part import STACK_VARIABLE
from deploy.local.secret_values import StackSecrets
from worker.settings import load_settings as load_agent_settings

PORTS = {"broker": 20_001, "store": 20_002, "api": 20_003, "flower": 20_004}


@pytest.fixture
def layout(tmp_path: Path) -> StackLayout:
    return StackLayout.at(tmp_path)


@pytest.fixture
def addresses(layout: StackLayout) -> StackAddresses:
    return resolve(layout, OutsideParts(), StackSecrets(), PORTS)


def test_the_control_plane_understands_all_it_is_told(
    layout: StackLayout, addresses: StackAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in control_environment(layout, addresses).items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.broker_url.get_secret_value() == addresses.broker_urls[BrokerUser.WORKER]
    assert settings.device_broker_url == addresses.device_broker_url
    assert settings.state_dir == layout.control_state


def test_no_command_line_shows_a_secret(layout: StackLayout, addresses: StackAddresses) -> None:
    parts = [
        api_part(layout, addresses),
        worker_part(layout, addresses),
        scheduler_part(layout, addresses),
        flower_part(addresses),
    ]
    commands = " ".join(word for part in parts for word in part.command)
    assert addresses.flower_password not in commands
    assert addresses.s3_secret_key not in commands
    assert "redis://" not in commands


def test_all_listen_on_loopback_only(layout: StackLayout, addresses: StackAddresses) -> None:
    command = api_part(layout, addresses).command
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert Path(program("outrider-control")).exists()


@pytest.mark.parametrize(("given", "expected"), [({}, ()), ({"OUTRIDER_AGENT_PASS_ENVIRONMENT": "A,B"}, ("A", "B"))])
def test_installers_may_see_which_stack_they_belong_to(
    given: dict[str, str], expected: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in agent_part("device", given).environment.items():
        monkeypatch.setenv(name, value)
    assert load_agent_settings().pass_environment == (STACK_VARIABLE, *expected)
