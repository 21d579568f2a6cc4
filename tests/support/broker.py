"""A real broker with the users of the local stack."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.broker_rules import BrokerUser
from deploy.local.ports import HOST, find_free_port
from deploy.local.secret_values import StackSecrets
from deploy.local.valkey import broker_part
from tests.support.servers import running

TESTER = "tester"


@dataclass(frozen=True)
class RunningBroker:
    """A Valkey server on loopback.

    Attributes:
        port: Where it listens.
        users_file: Its ACL file; `ACL SAVE` writes it.
        secrets: The passwords of the parts' users.
    """

    port: int
    users_file: Path
    secrets: StackSecrets

    @property
    def control_url(self) -> str:
        """The broker as the tests' own user, who may do and see everything; the product has none like it."""
        return url_of_tester(self.port)

    @property
    def flower_url(self) -> str:
        """The broker as the dashboard's user."""
        return self.url_of(BrokerUser.FLOWER)

    def url_of(self, user: BrokerUser) -> str:
        """The broker as the user of a part."""
        return f"redis://{user}:{self.secrets.broker[user]}@{HOST}:{self.port}/0"

    @property
    def device_url(self) -> str:
        """The broker's address without a user, as devices are told it."""
        return f"redis://{HOST}:{self.port}/0"


def let_tester_in(folder: Path) -> None:
    """Have a broker that is yet to be started below this folder know a user for the tests."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "users.acl").write_text(f"user {TESTER} on nopass ~* &* +@all\n", encoding="utf-8")


def url_of_tester(port: int) -> str:
    """A broker that was told by `let_tester_in`, as that user."""
    return f"redis://{TESTER}:any@{HOST}:{port}/0"


@contextmanager
def running_broker(folder: Path) -> Iterator[RunningBroker]:
    """A broker with its files in a folder, until the end of the block."""
    port = find_free_port()
    secrets = StackSecrets()
    let_tester_in(folder)
    with running(broker_part(folder, port, secrets), folder):
        yield RunningBroker(port=port, users_file=folder / "users.acl", secrets=secrets)


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    """One broker for the whole session: use queue and device names of your own."""
    with running_broker(tmp_path_factory.mktemp("valkey")) as broker:
        yield broker
