"""The network as attacker: whoever stands between the parts shows a certificate of its own, or none."""

import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from shutil import which

import httpx
import pytest
import redis
from kombu.exceptions import OperationalError

from contract.error_codes import ErrorCode
from contract.errors import InputError, OutriderError, UnavailableError
from contract.jobs import JobRef
from contract.phases import Phase
from contract.queues import device_queue
from control.client.control_client import ControlClient
from control.dispatch.celery_app import chain_template
from control.dispatch.ports import AddressedJob
from control.dispatch.redis_publisher import RedisJobPublisher
from control.fleet.broker_users import RedisBrokerUsers
from deploy.local.polling import wait_until
from deploy.local.ports import find_free_port
from tests.security.conftest import RefusedBy
from tests.support.certificates import Authority, ServerFiles
from worker.celery_app import make_app as make_device_app
from worker.handover import Handover
from worker.identity import Identity
from worker.settings import AgentSettings, load_settings
from worker.uplink.addresses import require_secure_api, require_secure_broker
from worker.uplink.transport import http_client, send

pytestmark = pytest.mark.integration
ATTACKER = "the network"

BROKER_CERTIFICATE = "shows a forged certificate in the broker's place"
API_CERTIFICATE = "shows a forged certificate in the API's place"
PLAIN_TEXT = "has parts speak plain text"

JOB = JobRef(job_id="00000000-0000-4000-8000-000000000001", generation=1, attempt=1)
DEVICE = "00000000-0000-4000-8000-000000000002"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder, "the-sites-authority")


@pytest.fixture(scope="module")
def certificates(folder: Path, authority: Authority) -> dict[str, ServerFiles]:
    """The right certificate, and those that an attacker could show."""
    return {
        "right": authority.issue("right"),
        "of another authority": Authority(folder, "somebody").issue("foreign"),
        "for another host": authority.issue("elsewhere", host="other.example"),
        "expired": authority.issue("expired", until=datetime.now(UTC) - timedelta(hours=1)),
    }


WRONG = ["of another authority", "for another host", "expired"]


@pytest.fixture(autouse=True)
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """All clients trust the site's authority, as its machines do."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))


# --- the broker -------------------------------------------------------------------------------------------------------


@contextmanager
def redis_with(files: ServerFiles, folder: Path) -> Iterator[int]:
    """A Redis that speaks TLS only, on the port it answers; its one user may do everything."""
    program = which("redis-server")
    if program is None:
        pytest.skip("needs Debian's redis-server: the embedded broker is built without TLS")
    port = find_free_port()
    options = ["--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    options += ["--tls-cert-file", str(files.certificate), "--tls-key-file", str(files.key)]
    options += ["--tls-auth-clients", "no", "--requirepass", "secret"]
    with (folder / "redis.log").open("wb") as log:
        server = subprocess.Popen([program, *options], stdout=log, stderr=log)
    try:
        assert wait_until(lambda: _listens(port, server), seconds=10), (folder / "redis.log").read_text()
        yield port
    finally:
        server.kill()
        server.wait()


def _listens(port: int, server: "subprocess.Popen[bytes]") -> bool:
    unchecked = redis.Redis(port=port, ssl=True, ssl_cert_reqs="none", ssl_check_hostname=False, password="secret")
    with unchecked:
        try:
            return server.poll() is None and bool(unchecked.ping())
        except redis.ConnectionError:
            return False


def url_of(port: int, scheme: str = "rediss") -> str:
    return f"{scheme}://default:secret@127.0.0.1:{port}/0"


def publish(port: int, scheme: str = "rediss") -> None:
    RedisJobPublisher(url_of(port, scheme), chain_template()).publish([AddressedJob(DEVICE, JOB)])


def make_a_user(port: int, scheme: str = "rediss") -> None:
    users = RedisBrokerUsers(url_of(port, scheme))
    try:
        users.put({DEVICE: "secret"})
    except UnavailableError as error:
        if "ResponseError" not in error.detail:
            raise
        # It was reached: without an ACL file only saving fails.


class Idle:
    """Runs no phase."""

    def run(self, phase: Phase, ref: JobRef, *, turn: int = 0) -> Handover:
        raise AssertionError(phase, ref, turn)


def send_as_a_device(port: int, identity: Identity, scheme: str = "rediss") -> None:
    mine = identity.model_copy(
        update={"broker_url": f"{scheme}://127.0.0.1:{port}/0", "broker_user": "default", "broker_secret": "secret"}
    )
    app = make_device_app(mine, Idle())
    app.conf.task_publish_retry_policy = {"max_retries": 0}
    app.send_task("outrider.poll", kwargs=JOB.model_dump())


def test_all_parts_work_over_tls_with_the_right_certificate(
    certificates: dict[str, ServerFiles], tmp_path: Path, identity: Identity
) -> None:
    with redis_with(certificates["right"], tmp_path) as port:
        publish(port)
        make_a_user(port)
        send_as_a_device(port, identity)
        with redis.Redis.from_url(url_of(port)) as broker:
            assert broker.llen(device_queue(DEVICE)) == 1
            assert broker.llen(device_queue(identity.device_id)) == 1


@pytest.mark.attack(BROKER_CERTIFICATE)
@pytest.mark.parametrize("shown", WRONG)
def test_no_part_speaks_to_a_broker_with_a_certificate(
    certificates: dict[str, ServerFiles], tmp_path: Path, shown: str, identity: Identity, refused_by: RefusedBy
) -> None:
    with redis_with(certificates[shown], tmp_path) as port:
        for speak in (publish, make_a_user):
            with pytest.raises(UnavailableError, match="certificate verify failed"):
                speak(port)
        with pytest.raises(OperationalError, match="certificate verify failed"):
            send_as_a_device(port, identity)
    refused_by("TLS: certificate verify failed")


@pytest.mark.guard_removed(BROKER_CERTIFICATE)
def test_without_the_check_the_forged_certificate_would_have_worked(
    certificates: dict[str, ServerFiles], tmp_path: Path, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kombu's own default for rediss:// checks nothing: this is what `broker_tls` stands against."""
    monkeypatch.setattr("worker.celery_app.broker_tls", lambda _url: {"ssl_cert_reqs": ssl.CERT_NONE})
    with redis_with(certificates["of another authority"], tmp_path) as port:
        send_as_a_device(port, identity)


@pytest.mark.attack(PLAIN_TEXT)
def test_a_downgrade_to_plain_text_is_refused(
    certificates: dict[str, ServerFiles], tmp_path: Path, identity: Identity, refused_by: RefusedBy
) -> None:
    """A server that answers in plain text to a client that wants TLS, and the other way round."""
    with redis_with(certificates["right"], tmp_path) as port, pytest.raises(UnavailableError):
        publish(port, scheme="redis")
    with plain_server() as port:
        for speak in (publish, make_a_user):
            with pytest.raises(UnavailableError):
                speak(port)
        with pytest.raises(OperationalError):
            send_as_a_device(port, identity)
    refused_by("TLS: no handshake")


# --- the API ----------------------------------------------------------------------------------------------------------


#: A page of a list without entries.
_NOTHING = b'{"items": []}'


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(_NOTHING)))
        self.end_headers()
        self.wfile.write(_NOTHING)

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def plain_server(files: ServerFiles | None = None) -> Iterator[int]:
    """A web server, with TLS where a certificate is given."""
    server = HTTPServer(("127.0.0.1", 0), _Answers)
    if files is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.certificate, files.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask_as_a_device(url: str) -> None:
    with http_client(AgentSettings(), base_url=url) as client:
        send(client, httpx.Request("GET", url))


def ask_as_an_operator(url: str) -> None:
    with ControlClient(url, "token") as client:
        list(client.groups())


ASKING = [ask_as_a_device, ask_as_an_operator]


@pytest.mark.parametrize("ask", ASKING)
def test_the_right_certificate_is_accepted(certificates: dict[str, ServerFiles], ask: Callable[[str], None]) -> None:
    with plain_server(certificates["right"]) as port:
        ask(f"https://127.0.0.1:{port}")


@pytest.mark.guard_removed(API_CERTIFICATE)
def test_without_the_check_a_forged_api_would_be_believed(
    certificates: dict[str, ServerFiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.uplink.transport.tls_context", ssl._create_unverified_context)
    with plain_server(certificates["of another authority"]) as port:
        ask_as_a_device(f"https://127.0.0.1:{port}")


@pytest.mark.attack(API_CERTIFICATE)
@pytest.mark.parametrize("ask", ASKING)
@pytest.mark.parametrize("shown", WRONG)
def test_nobody_speaks_to_an_api_with_a_certificate(
    certificates: dict[str, ServerFiles], shown: str, ask: Callable[[str], None], refused_by: RefusedBy
) -> None:
    refused_by("TLS: certificate verify failed")
    with plain_server(certificates[shown]) as port, pytest.raises(OutriderError, match="certificate verify failed"):
        ask(f"https://127.0.0.1:{port}")


@pytest.mark.parametrize("ask", ASKING)
def test_an_api_that_answers_in_plain_text_is_not_believed(ask: Callable[[str], None]) -> None:
    with plain_server() as port, pytest.raises(UnavailableError):
        ask(f"https://127.0.0.1:{port}")


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.attack(PLAIN_TEXT)
@pytest.mark.guard_removed(PLAIN_TEXT)
def test_a_device_refuses_plain_text_to_another_machine_unless_told_so_by_name(refused_by: RefusedBy) -> None:
    """The setting that is named is the guard's removal."""
    strict = load_settings()
    for require, url in ((require_secure_api, "http://api.example"), (require_secure_broker, "redis://b.example/0")):
        with pytest.raises(InputError) as caught:
            require(strict, url)
        assert caught.value.code is ErrorCode.ADDRESS_INSECURE
        refused_by(caught.value.code.slug)
    require_secure_api(AgentSettings(allow_insecure_api=True), "http://api.example")
    require_secure_broker(AgentSettings(allow_insecure_broker=True), "redis://b.example/0")
