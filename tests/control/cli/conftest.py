"""The operators' command against the API in process."""

from collections.abc import Callable, Iterator
from functools import partial

import httpx
import pytest
import structlog
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from control.cli.main import app
from control.client.control_client import ControlClient
from control.database.tables import Role

Outrider = Callable[..., Result]


@pytest.fixture(autouse=True)
def log_of_the_api() -> Iterator[None]:
    """Kept apart from what the command prints: the API runs in the same process, with threads of its own."""
    was_configured = structlog.is_configured()
    with capture_logs():
        yield
    if not was_configured:
        structlog.reset_defaults()


@pytest.fixture
def outrider_as(
    client: httpx.Client, operator: Callable[[Role], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Role], Outrider]:
    """Run `outrider` with a token of a role."""

    def login(role: Role) -> Outrider:
        monkeypatch.setenv("OUTRIDER_URL", "https://control.example")
        monkeypatch.setenv("OUTRIDER_TOKEN", operator(role)["Authorization"].removeprefix("Bearer "))
        monkeypatch.setenv("COLUMNS", "300")
        monkeypatch.setattr("control.cli.connection.ControlClient", partial(ControlClient, transport=client._transport))

        def run(*arguments: str, typed: str | None = None) -> Result:
            return CliRunner().invoke(app, list(arguments), input=typed)

        return run

    return login


@pytest.fixture
def outrider(outrider_as: Callable[[Role], Outrider]) -> Outrider:
    """Run `outrider` with an administrator's token."""
    return outrider_as(Role.ADMIN)
