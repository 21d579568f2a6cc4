"""A control plane for every test that asks for one; its broker and content store are in memory, all else is real."""

import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from starlette.exceptions import StarletteDeprecationWarning

from contract.clock import ManualClock
from contract.jobs import JobRef
from control.api.app import create_app
from control.bootstrap import assemble, make_signer
from control.database.migrate import upgrade
from control.database.session import Database
from control.database.tables import Role
from control.security.content_keys import ensure_key_encryption_key
from control.security.file_policy_signer import ensure_policy_key, policy_key_folder
from control.security.nonces import ProcessNonces
from control.security.operator_tokens import create_operator_token
from control.settings import ControlSettings
from control.shards.device_brokers import DeviceBrokers
from control.shards.hashing import FIRST_SHARD
from storage.intunewin.builder import build_package
from storage.objects.memory import MemoryObjectStore
from tests.control.plane import MemoryDeviceQueues, Plane, RecordingBrokerUsers, RecordingQueue, SignedDevice

with warnings.catch_warnings():
    # It would rather have httpx2; the product and its devices use httpx.
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from fastapi.testclient import TestClient


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file to copy."""
    path = tmp_path_factory.mktemp("database") / "template.db"
    database = Database.at(f"sqlite:///{path}")
    upgrade(database)
    database.close()
    return path


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small real package."""
    folder = tmp_path_factory.mktemp("package")
    source = folder / "source"
    source.mkdir()
    (source / "install.sh").write_text("echo installed\n", encoding="utf-8")
    (source / "uninstall.sh").write_text("echo gone\n", encoding="utf-8")
    return build_package(source, "install.sh", folder).path


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    path = tmp_path / "control.db"
    shutil.copy(migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture
def settings(sqlite_url: str, tmp_path: Path) -> ControlSettings:
    return ControlSettings(
        database_url=SecretStr(sqlite_url),
        broker_url=SecretStr("redis://control:secret@broker.example:6379/0"),
        s3_endpoint="http://store.example",
        s3_access_key="key",
        s3_secret_key=SecretStr("secret"),
        state_dir=tmp_path / "state",
        check_in_interval_seconds=600,
        online_slack_seconds=60,
    )


@pytest.fixture
def make_plane(package: Path) -> Iterator[Callable[[ControlSettings], Plane]]:
    """Put a plane together from settings whose database is migrated."""
    opened: list[Database] = []

    def make(settings: ControlSettings) -> Plane:
        ensure_policy_key(policy_key_folder(settings.state_dir))
        ensure_key_encryption_key(settings.state_dir)
        clock = ManualClock(datetime.now(UTC))
        store = MemoryObjectStore(clock=clock)
        broker_users, queue = RecordingBrokerUsers(), RecordingQueue()
        services = assemble(
            settings,
            clock=clock,
            store=store,
            signer=make_signer(settings),
            brokers=DeviceBrokers({FIRST_SHARD: broker_users}, {FIRST_SHARD: MemoryDeviceQueues()}),
            nonces=ProcessNonces(clock),
            queue=queue,
        )
        opened.append(services.database)
        made = Plane(services, clock, store, broker_users, queue, package)
        made.publish_keys()
        return made

    yield make
    for database in opened:
        database.close()


@pytest.fixture
def plane(settings: ControlSettings, make_plane: Callable[[ControlSettings], Plane]) -> Plane:
    return make_plane(settings)


@pytest.fixture
def postgresql_plane(
    postgresql: str, settings: ControlSettings, make_plane: Callable[[ControlSettings], Plane]
) -> Plane:
    database = Database.at(postgresql)
    upgrade(database)
    database.close()
    return make_plane(settings.model_copy(update={"database_url": SecretStr(postgresql)}))


@pytest.fixture(
    params=[
        pytest.param("plane", id="sqlite"),
        pytest.param("postgresql_plane", id="postgresql", marks=pytest.mark.integration),
    ]
)
def either_plane(request: pytest.FixtureRequest) -> Plane:
    """A plane on SQLite, and the same on PostgreSQL."""
    found: Plane = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def make_client() -> Iterator[Callable[[Plane], httpx.Client]]:
    """The API in process; errors of the server are answered, as a real server answers them."""
    with ExitStack() as clients:

        def make(plane: Plane) -> httpx.Client:
            return clients.enter_context(TestClient(create_app(plane.services), raise_server_exceptions=False))

        yield make


@pytest.fixture
def client(plane: Plane, make_client: Callable[[Plane], httpx.Client]) -> httpx.Client:
    return make_client(plane)


@pytest.fixture
def enrolled(plane: Plane, client: httpx.Client) -> Callable[..., SignedDevice]:
    """Enrol a device, into a group if one is named."""

    def enrol(name: str = "desk-1", group_id: str | None = None) -> SignedDevice:
        device = SignedDevice(client, name)
        assert device.enroll(plane.token(group_id=group_id)).status_code == 200
        return device

    return enrol


@pytest.fixture
def operator(plane: Plane) -> Callable[[Role], dict[str, str]]:
    """The headers of an operator with this role."""

    def headers(role: Role) -> dict[str, str]:
        with plane.services.database.transaction() as session:
            token, _ = create_operator_token(session, name="test", role=role, lifetime=None, now=plane.clock.now())
        return {"Authorization": f"Bearer {token}"}

    return headers


@pytest.fixture
def sent(plane: Plane, enrolled: Callable[..., SignedDevice]) -> tuple[SignedDevice, JobRef]:
    """A device that a job was sent to."""
    plane.publish()
    device = enrolled(group_id=plane.group("desks"))
    plane.assign("desks")
    plane.plan()
    ((_, ref),) = plane.dispatch()
    return device, ref
