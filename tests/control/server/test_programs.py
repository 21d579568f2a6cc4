"""The control plane's programs as processes, with a real broker, store and database, and a device that signs."""

import os
import signal
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import redis

from contract.exit_statuses import ExitStatus
from contract.queues import device_queue
from contract.uplink import CONTENT_INFO_PATH, ContentInfo
from control.settings import ControlSettings
from deploy.local.broker_rules import BrokerUser
from deploy.local.polling import wait_until
from deploy.local.ports import find_free_port
from storage.objects.s3_settings import S3Settings
from tests.control.plane import SignedDevice, manifest_data
from tests.support.broker import RunningBroker

pytestmark = pytest.mark.integration

SCRIPTS = Path(sysconfig.get_path("scripts"))
START_SECONDS = 120


@dataclass(frozen=True)
class Programs:
    """The programs with their environment."""

    environment: dict[str, str]
    folder: Path
    broker: RunningBroker

    def control(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        command = [str(SCRIPTS / "outrider-control"), *arguments]
        environment = {**self.environment, **changes}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=START_SECONDS
        )

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        with (self.folder / f"{arguments[0]}.log").open("wb") as log:
            command = [str(SCRIPTS / "outrider-control"), *arguments]
            environment = {**self.environment, "BROKER_URL": self.broker.url_of(BrokerUser(arguments[0]))}
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(START_SECONDS)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """SQLite, or PostgreSQL where a test asks for that."""
    if getattr(request, "param", "sqlite") == "postgresql":
        url: str = request.getfixturevalue("postgresql")
        return url
    return f"sqlite:///{tmp_path}/control.db"


@pytest.fixture
def programs(database_url: str, valkey: RunningBroker, s3_settings: S3Settings, tmp_path: Path) -> Programs:
    return Programs(
        folder=tmp_path,
        broker=valkey,
        environment={
            "PATH": os.environ["PATH"],
            "DATABASE_URL": database_url,
            "BROKER_URL": valkey.url_of(BrokerUser.API),
            "OUTRIDER_BROKER_USERS_URL": valkey.url_of(BrokerUser.FLEET),
            "S3_ENDPOINT": s3_settings.endpoint_url,
            "S3_REGION": s3_settings.region,
            "S3_BUCKET": s3_settings.bucket,
            "S3_ACCESS_KEY": s3_settings.access_key,
            "S3_SECRET_KEY": s3_settings.secret_key.get_secret_value(),
            "OUTRIDER_STATE_DIR": str(tmp_path / "state"),
        },
    )


@pytest.fixture
def hurried(programs: Programs) -> Programs:
    """The same, looking for what is due every second or two."""
    intervals = {"PLAN": "2", "DISPATCH": "1", "RECONCILE": "2"}
    programs.environment.update({f"OUTRIDER_{task}_INTERVAL_SECONDS": span for task, span in intervals.items()})
    return programs


@pytest.fixture
def api(programs: Programs) -> Iterator[httpx.Client]:
    """A served API, with an administrator's token; worker and scheduler run too."""
    assert programs.control("init").returncode == 0
    token = programs.control("token", "create", "--role", "admin", "--name", "test").stdout.strip()
    port = find_free_port()
    with (
        programs.running("worker"),
        programs.running("scheduler"),
        programs.running("api", "--port", str(port)) as process,
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"}, timeout=START_SECONDS
        ) as client,
    ):
        assert wait_until(lambda: process.poll() is not None or answers(client), seconds=START_SECONDS)
        yield client


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/v1/health").is_success
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_an_assignment_reaches_an_online_device_within_seconds(
    programs: Programs, api: httpx.Client, valkey: RunningBroker, package: Path
) -> None:
    digest = api.post("/v1/packages", content=package.read_bytes()).json()["digest"]
    assert api.post("/v1/apps", json={"manifest": manifest_data(), "package": digest}).status_code == 201
    api.post("/v1/groups", json={"name": "desks"})
    token = api.post("/v1/enrollment-tokens", json={"group": "desks"}).json()["token"]
    device = SignedDevice(api)
    assert device.enroll(token).status_code == 200
    assert device.check_in().status_code == 200
    api.post("/v1/assignments", json={"app": "Editor", "group": "desks"})
    with redis.Redis.from_url(valkey.control_url) as broker:
        queue = device_queue(device.device_id)
        # Worker and scheduler may still be starting.
        assert wait_until(lambda: broker.llen(queue) > 0, seconds=START_SECONDS)
        assert broker.llen(queue) == 1
    assert wait_until(lambda: api.get("/v1/status").json()["items"][0]["state"] == "sent", seconds=START_SECONDS)
    (job,) = api.get("/v1/status").json()["items"]
    info = ContentInfo.from_json(device.request("POST", CONTENT_INFO_PATH.format(job_id=job["id"])).content)
    assert len(httpx.get(info.url, timeout=START_SECONDS).content) == info.size


def test_initialising_again_changes_nothing(programs: Programs) -> None:
    first, second = programs.control("init"), programs.control("init")
    assert (first.returncode, second.returncode) == (0, 0)
    assert "policy key: made" in first.stdout
    assert "policy key: there already" in second.stdout


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"S3_ENDPOINT": "http://127.0.0.1:1"}, ExitStatus.UNAVAILABLE, "The content store does not answer."),
        ({"DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}, ExitStatus.UNAVAILABLE, "The database does not answer."),
        ({"DATABASE_URL": "mysql://x/x"}, ExitStatus.USAGE, "expected sqlite or postgresql"),
        ({"OUTRIDER_CHECK_IN_INTERVAL_SECONDS": "soon"}, ExitStatus.USAGE, "OUTRIDER_CHECK_IN_INTERVAL_SECONDS"),
        ({"S3_SECRET_KEY": "wrong"}, ExitStatus.FAILED, "The content store refused the request."),
    ],
)
def test_what_is_not_there_or_wrong_is_said_in_one_sentence(
    programs: Programs, changes: dict[str, str], status: ExitStatus, said: str
) -> None:
    ended = programs.control("init", **changes)
    assert ended.returncode == status
    assert said in ended.stderr
    assert "Hint:" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_all_missing_settings_are_named(programs: Programs) -> None:
    bare = replace(programs, environment={"PATH": os.environ["PATH"]})
    ended = bare.control("init")
    assert ended.returncode == ExitStatus.USAGE
    assert all(name in ended.stderr for name in ("DATABASE_URL", "BROKER_URL", "S3_ENDPOINT", "OUTRIDER_STATE_DIR"))


def test_an_api_without_its_keys_says_what_to_run(programs: Programs) -> None:
    ended = programs.control("api", "--port", "0")
    assert ended.returncode == ExitStatus.USAGE
    assert "outrider-control init" in ended.stderr


def test_settings_show_no_secrets(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in programs.environment.items():
        monkeypatch.setenv(name, value)
    shown = repr(ControlSettings())
    assert programs.environment["S3_SECRET_KEY"] not in shown
    assert programs.environment["BROKER_URL"] not in shown
    assert ControlSettings().check_in_interval == timedelta(hours=1)


@pytest.mark.faults
@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_of_two_workers_and_two_schedulers_one_each_may_be_killed(
    hurried: Programs, api: httpx.Client, valkey: RunningBroker, package: Path
) -> None:
    digest = api.post("/v1/packages", content=package.read_bytes()).json()["digest"]
    api.post("/v1/apps", json={"manifest": manifest_data(), "package": digest})
    api.post("/v1/groups", json={"name": "desks"})
    token = api.post("/v1/enrollment-tokens", json={"group": "desks", "uses": 30}).json()["token"]
    devices = [SignedDevice(api, f"desk-{number}") for number in range(30)]
    assert all(device.enroll(token).status_code == 200 for device in devices)
    queues = [device_queue(device.device_id) for device in devices]
    with (
        hurried.running("worker") as worker,
        hurried.running("scheduler") as scheduler,
        redis.Redis.from_url(valkey.control_url) as broker,
    ):
        api.post("/v1/assignments", json={"app": "Editor", "group": "desks"})
        assert wait_until(lambda: any(broker.llen(queue) for queue in queues), seconds=START_SECONDS)
        for process in (worker, scheduler):
            process.kill()
        # What the killed worker had claimed is free after 30 s.
        assert wait_until(lambda: all(broker.llen(queue) for queue in queues), seconds=60)
        assert wait_until(
            lambda: {job["state"] for job in api.get("/v1/status").json()["items"]} == {"sent"}, seconds=60
        )
        assert {job["generation"] for job in api.get("/v1/status").json()["items"]} == {1}
