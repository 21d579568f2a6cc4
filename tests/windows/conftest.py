"""A whole device on Windows' CPython under Wine, and a control plane for it."""

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from deploy.demo.scenario import Scenario, client_of
from deploy.local.stack import LocalStack
from tests.windows.device import WindowsDevice
from tests.windows.fleet import Fleet
from tests.windows.python import install_agent, windows_python
from tests.windows.wine import Wine, why_no_wine, windows_path


@pytest.fixture(scope="session")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WindowsDevice]:
    """A Windows with the agent's packages and nothing else; it is not enrolled."""
    if reason := why_no_wine():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("windows")
    python = windows_python()
    wine = Wine(folder / "prefix", {"PYTHONPATH": windows_path(install_agent(folder))})
    wine.boot()
    try:
        yield WindowsDevice(wine, python, folder / "agent.log")
    finally:
        wine.shut_down()


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory, device: WindowsDevice) -> Iterator[Fleet]:
    """The control plane with the device enrolled and its agent at work."""
    scenario = Scenario(LocalStack(tmp_path_factory.mktemp("control")), Console(file=io.StringIO(), width=200))
    try:
        operator = scenario.start()
        with client_of(operator) as client:
            fleet = Fleet(operator, client, device)
            fleet.enroll()
            fleet.start_agent()
            yield fleet
            fleet.kill_agent()
    finally:
        scenario.stack.down()
