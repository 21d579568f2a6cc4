"""Whoever owns the content store, against a device: the real store behind one that lies, a real agent and API."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from contract.errors import PhaseError, UnavailableError
from contract.jobs import JobState
from contract.states import Outcome
from storage.intunewin.metadata import EncryptionInfo
from storage.objects.s3_settings import S3Settings
from tests.security.conftest import RefusedBy
from tests.security.evil_store import CHUNK, Answer, EvilStore, Handler, Lie, evil_store
from tests.security.site import INSTALL, Agent, Site, build, enrolled_agent, eventually, running_site
from tests.support.broker import RunningBroker
from tests.worker.rig import URL, PackedContent, Rig, pack
from worker.content.download import fetch
from worker.content.source import ContentStream, HttpContentSource
from worker.settings import AgentSettings
from worker.uplink.transport import http_client

pytestmark = pytest.mark.integration
ATTACKER = "the store's owner"

FOREIGN = "sends other or changed content of the right size"
ENDLESS = "sends more than was published, without end"
NO_CONTENT = "sends what is no content: too little, pages, errors, wrong ranges"
ELSEWHERE = "sends devices elsewhere"

#: Far less than what the endless stream would bring until the test ends.
BOUND_BYTES = 20_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store-owner")


@pytest.fixture(scope="module")
def store(swift: S3Settings) -> Iterator[EvilStore]:
    assert swift.endpoint_url is not None
    with evil_store(swift.endpoint_url) as running:
        yield running


@pytest.fixture(scope="module")
def site(folder: Path, valkey: RunningBroker, swift: S3Settings, store: EvilStore) -> Iterator[Site]:
    real = swift.model_copy(update={"bucket": f"test-{uuid.uuid4().hex}"})
    with running_site(folder, valkey, real, s3_public_endpoint=store.url) as running:
        yield running


@pytest.fixture(scope="module")
def agent(site: Site, folder: Path) -> Iterator[Agent]:
    agent = enrolled_agent(site, folder, "desk-1")
    with agent.running():
        yield agent


@pytest.fixture(scope="module")
def others(site: Site, folder: Path) -> bytes:
    """The content of another app, of the same size: a valid package that would run something else."""
    own = build(folder / "other", {"install.sh": INSTALL.replace("ran", "bad"), "uninstall.sh": "true\n"})
    digest = site.publish("other", own)
    with site.services.store.read(f"content/sha256/{digest}") as stream:
        return stream.read()


@pytest.fixture(autouse=True)
def honest_in_the_end(store: EvilStore) -> Iterator[None]:
    yield
    store.lie = None


def lies_once_told(lie: Callable[[Handler, bytes, Answer], None], others: bytes) -> Lie:
    return lambda handler, answer: lie(handler, others, answer)


def changed(body: bytes) -> bytes:
    return body[:-1] + bytes([body[-1] ^ 1])


def endless(handler: Handler, _others: bytes, _answer: Answer) -> None:
    handler.begin(200, {})
    while True:
        handler.write(CHUNK)


CORRUPT: dict[str, tuple[str, Callable[[Handler, bytes, Answer], None]]] = {
    "another app's content": (FOREIGN, lambda handler, others, _: handler.answer(200, others)),
    "the last bit flipped": (FOREIGN, lambda handler, _, answer: handler.answer(200, changed(answer.body))),
    "the first bit flipped": (
        FOREIGN,
        lambda handler, _, answer: handler.answer(200, bytes([answer.body[0] ^ 1]) + answer.body[1:]),
    ),
    "zeros": (FOREIGN, lambda handler, _, answer: handler.answer(200, bytes(len(answer.body)))),
    "the content twice": (ENDLESS, lambda handler, _, answer: handler.answer(200, answer.body * 2)),
    "an endless stream": (ENDLESS, endless),
}


def metric_of(reason: str) -> str:
    return f'outrider_refused_by_devices_total{{reason="{reason}"}}'


def nothing_was_unpacked(agent: Agent, app: str) -> bool:
    unpacked = [path for path in (agent.state / "IMECache").iterdir() if path.is_dir()]
    return app not in agent.ran and not (agent.home / "bad").exists() and not unpacked


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.attack(attack)) for name, (attack, _) in CORRUPT.items()]
)
def test_corrupt_content_is_refused_reported_and_counted_and_installs_once_the_store_is_healed(
    site: Site, agent: Agent, store: EvilStore, others: bytes, name: str, refused_by: RefusedBy
) -> None:
    app, sent, disk = f"app-{uuid.uuid4().hex[:8]}", store.sent, agent.disk_bytes()
    counted = site.metric(metric_of("content-corrupt"))
    store.lie = lies_once_told(CORRUPT[name][1], others)
    # The store is healed before the third attempt in a row fails: a day's wait would follow.
    site.deploy(app, agent.name, retryIntervalInMinutes=0.05)
    job = site.wait_for_job(app, agent.name, lambda job: job.error_code is not None)
    assert (job.error_code, job.state) == ("content-corrupt", JobState.WAITING)
    assert nothing_was_unpacked(agent, app)
    assert agent.disk_bytes() - disk < BOUND_BYTES
    assert store.sent - sent < BOUND_BYTES
    store.lie = None
    eventually(lambda: site.job(app, agent.name).outcome is Outcome.INSTALLED, lambda: agent.log[-3000:])
    assert agent.ran[-1] == app
    assert site.metric(metric_of("content-corrupt")) > counted
    refused_by("content-corrupt")


def wrong_range(handler: Handler, _others: bytes, answer: Answer) -> None:
    handler.answer(206, answer.body, {"Content-Range": f"bytes 5000-{5000 + len(answer.body)}/10000"})


def cut_off(handler: Handler, _others: bytes, answer: Answer) -> None:
    handler.begin(200, {"Content-Length": str(len(answer.body))})


WITHHELD: dict[str, tuple[str, Callable[[Handler, bytes, Answer], None]]] = {
    "half of it": (NO_CONTENT, lambda handler, _, answer: handler.answer(200, answer.body[: len(answer.body) // 2])),
    "a page instead": (NO_CONTENT, lambda handler, *_: handler.answer(200, b"<html>log in</html>")),
    "nothing": (NO_CONTENT, lambda handler, *_: handler.answer(200)),
    "an announced body that never comes": (NO_CONTENT, cut_off),
    "another range than asked": (NO_CONTENT, wrong_range),
    "not found": (NO_CONTENT, lambda handler, *_: handler.answer(404)),
    "a redirect": (ELSEWHERE, lambda handler, *_: handler.answer(302, headers={"Location": "/elsewhere"})),
    "a redirect to another machine": (
        ELSEWHERE,
        lambda handler, *_: handler.answer(307, headers={"Location": "http://127.0.0.2:1/elsewhere"}),
    ),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.attack(attack)) for name, (attack, _) in WITHHELD.items()]
)
def test_what_is_no_content_is_waited_out_and_shown_with_its_reason(
    site: Site, agent: Agent, store: EvilStore, others: bytes, name: str, refused_by: RefusedBy
) -> None:
    app = f"app-{uuid.uuid4().hex[:8]}"
    store.lie = lies_once_told(WITHHELD[name][1], others)
    # Where half of a lie has to be fetched, what came is corrupt, and a new attempt has to follow soon.
    site.deploy(app, agent.name, retryIntervalInMinutes=0.02)
    job = site.wait_for_job(app, agent.name, lambda job: job.next_action_reason is not None)
    assert job.next_action_reason == "unavailable"
    assert nothing_was_unpacked(agent, app)
    assert not any("elsewhere" in path for path in store.asked)
    asked = len(store.asked)
    store.lie = None
    eventually(lambda: site.job(app, agent.name).outcome is Outcome.INSTALLED, lambda: agent.log[-3000:])
    # It waited in between, and did not hammer the store.
    assert len(store.asked) - asked < 10
    refused_by("unavailable: download-failed, asked again later")


# --- without the guards -----------------------------------------------------------------------------------------------


HONEST_SCRIPT = 'echo honest > "$TARGET/editor"\n'
EVIL_SCRIPT = HONEST_SCRIPT.replace("honest", "hijack")


def packed(folder: Path, script: str) -> PackedContent:
    folder.mkdir()
    (folder / "install.sh").write_text(script, encoding="utf-8")
    return pack(folder, folder.parent)


@pytest.mark.guard_removed(FOREIGN)
def test_a_device_that_believes_the_store_runs_what_the_store_sends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Digest, MAC and keys as the store's owner says, not as the signed policy does."""
    honest, evil = packed(tmp_path / "honest", HONEST_SCRIPT), packed(tmp_path / "evil", EVIL_SCRIPT)
    assert evil.ref.size == honest.ref.size
    rig = Rig(tmp_path / "device", honest)
    rig.source.contents[URL] = evil.blob
    rig.run(rig.new_job())
    assert not (rig.target / "editor").exists()
    monkeypatch.setattr("worker.content.fetching.check_digest", lambda *_: None)
    believed = EncryptionInfo(
        encryption_key=evil.key,
        mac_key=evil.ref.mac_key,
        initialization_vector=evil.ref.initialization_vector,
        mac=evil.ref.mac,
        file_digest=evil.ref.plain_digest,
    )
    monkeypatch.setattr("worker.content.unpacking._encryption", lambda *_: believed)
    rig.clock.advance(timedelta(hours=1))
    rig.run(rig.new_job())
    assert (rig.target / "editor").read_text(encoding="utf-8") == "hijack\n"
    rig.device.ledger.close()


def fetched(store: EvilStore, target: Path, client: httpx.Client, *, size: int) -> int:
    with client:
        url = f"{store.url}/object"
        return fetch(HttpContentSource(client), url, target, size=size, on_progress=lambda _done, _total: None)


@pytest.mark.guard_removed(ENDLESS)
def test_a_device_that_looks_at_no_size_writes_all_that_comes(
    store: EvilStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def all_of_it(stream: ContentStream, target: Path, _size: int) -> Iterator[int]:
        with target.open("wb") as file:
            for chunk in stream.chunks:
                yield file.write(chunk)
                if file.tell() > BOUND_BYTES:
                    raise OverflowError

    store.lie = lambda handler, answer: endless(handler, b"", answer)
    with pytest.raises(PhaseError, match="more than the announced"):
        fetched(store, tmp_path / "bounded", httpx.Client(), size=1000)
    assert (tmp_path / "bounded").stat().st_size <= 1000
    monkeypatch.setattr("worker.content.download._append", all_of_it)
    with pytest.raises(OverflowError):
        fetched(store, tmp_path / "unbounded", httpx.Client(), size=1000)
    assert (tmp_path / "unbounded").stat().st_size > BOUND_BYTES


@pytest.mark.guard_removed(NO_CONTENT)
def test_a_device_that_looks_at_no_status_takes_an_error_page_for_content(
    store: EvilStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = b"<html>not found</html>"
    store.lie = lambda handler, _: handler.answer(404, page)
    with pytest.raises(UnavailableError):
        fetched(store, tmp_path / "content", httpx.Client(), size=len(page))
    monkeypatch.setattr("worker.content.source._first", lambda _: 0)
    assert fetched(store, tmp_path / "content", httpx.Client(), size=len(page)) == len(page)


@pytest.mark.guard_removed(ELSEWHERE)
def test_a_device_that_follows_redirects_goes_where_it_is_sent(store: EvilStore, tmp_path: Path) -> None:
    def redirect(handler: Handler, _: Answer) -> None:
        if handler.path == "/elsewhere":
            handler.answer(200, b"taken")
        else:
            handler.answer(302, headers={"Location": "/elsewhere"})

    store.lie = redirect
    with pytest.raises(UnavailableError):
        fetched(store, tmp_path / "content", http_client(AgentSettings()), size=5)
    following = http_client(AgentSettings())
    following.follow_redirects = True
    assert fetched(store, tmp_path / "content", following, size=5) == 5
