"""A real broker with the users of the local stack."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.ports import HOST, find_free_port
from deploy.local.secret_values import StackSecrets
from deploy.local.valkey import broker_part
from tests.support.servers import running


@dataclass(frozen=True)
class RunningBroker:
    """A Valkey server on loopback.

    Attributes:
        port: Where it listens.
        users_file: Its ACL file; `ACL SAVE` writes it.
        control_url: The broker as the control plane's user.
        flower_url: The broker as the dashboard's user.
    """

    port: int
    users_file: Path
    control_url: str
    flower_url: str

    @property
    def device_url(self) -> str:
        """The broker's address without a user, as devices are told it."""
        return f"redis://{HOST}:{self.port}/0"


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    """One broker for the whole session: use queue and device names of your own."""
    folder = tmp_path_factory.mktemp("valkey")
    port = find_free_port()
    secrets = StackSecrets()
    with running(broker_part(folder, port, secrets), folder):
        yield RunningBroker(
            port=port,
            users_file=folder / "users.acl",
            control_url=f"redis://control:{secrets.broker_control}@{HOST}:{port}/0",
            flower_url=f"redis://flower:{secrets.broker_flower}@{HOST}:{port}/0",
        )
