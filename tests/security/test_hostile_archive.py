"""Hostile packages on their whole way: uploaded over the API, published, fetched and refused by a real device."""

import io
import tempfile
import uuid
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from contract.states import Outcome
from contract.uplink import Problem
from control.database.tables import Role
from control.security.operator_tokens import create_operator_token
from storage.intunewin import detection_xml, inner_zip
from storage.intunewin.names import NameTable, split_name
from storage.intunewin.unzip import UnzipLimits, unzip
from storage.objects.s3_settings import S3Settings
from tests.security.conftest import RefusedBy
from tests.security.hostile_archives import ESCAPING, EXPLODING, bomb, hostile_package, overlapping, zip_of
from tests.security.site import Agent, Site, enrolled_agent, eventually, running_site
from tests.support.broker import RunningBroker

pytestmark = pytest.mark.integration
ATTACKER = "a hostile package"

ESCAPE = "leaves its folder, or hits other files than it names"
EXPLODE = "fills disk or memory while it is unpacked"
UPLOAD = "harms the control plane that takes it in"

#: The largest hostile archive is 20 MB; nothing of it stays behind.
BOUND_BYTES = 30_000_000
UNZIP_REFUSED = 'outrider_refused_by_devices_total{reason="unzip-failed"}'
PACKAGE_LIMIT_BYTES = 100_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def site(folder: Path, valkey: RunningBroker, swift: S3Settings) -> Iterator[Site]:
    store = swift.model_copy(update={"bucket": f"test-{uuid.uuid4().hex}"})
    with running_site(folder, valkey, store, max_package_bytes=PACKAGE_LIMIT_BYTES) as running:
        yield running


@pytest.fixture(scope="module")
def agent(site: Site, folder: Path) -> Iterator[Agent]:
    agent = enrolled_agent(site, folder, "desk-1")
    with agent.running():
        yield agent


@pytest.fixture(scope="module")
def uploader(site: Site) -> Iterator[httpx.Client]:
    with site.services.database.transaction() as session:
        now = site.services.clock.now()
        token, _ = create_operator_token(session, name="packager", role=Role.OPERATOR, lifetime=None, now=now)
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=site.settings.public_url, headers=headers, timeout=60) as client:
        yield client


# --- on the device ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "make"),
    [
        pytest.param(name, make, id=name, marks=pytest.mark.attack(attack))
        for attack, archives in ((ESCAPE, ESCAPING), (EXPLODE, EXPLODING))
        for name, make in archives.items()
    ],
)
def test_a_hostile_archive_is_refused_by_the_device_with_nothing_left_behind(
    site: Site, agent: Agent, folder: Path, name: str, make: Callable[[], bytes], refused_by: RefusedBy
) -> None:
    package = hostile_package(make(), site.package, folder / f"{uuid.uuid4().hex}.intunewin")
    app, counted = f"app-{uuid.uuid4().hex[:8]}", site.metric(UNZIP_REFUSED)
    disk, memory = agent.disk_bytes(), agent.memory_bytes()
    site.deploy(app, agent.name, package=package)
    eventually(lambda: site.job(app, agent.name).error_code is not None, lambda: agent.log[-3000:])
    assert site.job(app, agent.name).error_code == "unzip-failed"
    # A report is counted once it is stored.
    eventually(lambda: site.metric(UNZIP_REFUSED) == counted + 1)
    assert app not in agent.ran
    assert not list(agent.home.rglob("*escaped*"))
    assert not list(agent.home.rglob("owned"))
    assert not Path("/tmp/outrider-escaped").exists()
    assert agent.disk_bytes() - disk < BOUND_BYTES
    assert agent.memory_bytes() - memory < 10 * BOUND_BYTES
    assert agent.is_alive()
    refused_by("unzip-failed")


def test_after_all_of_them_a_good_package_installs(site: Site, agent: Agent) -> None:
    site.deploy("good", agent.name)
    eventually(lambda: site.job("good", agent.name).outcome is Outcome.INSTALLED, lambda: agent.log[-3000:])


@pytest.mark.guard_removed(ESCAPE)
def test_without_the_look_at_names_a_file_lands_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inner_zip, "safe_parts", split_name)
    monkeypatch.setattr(NameTable, "add", lambda *_: None)
    plain = tmp_path / "plain.zip"
    plain.write_bytes(zip_of(("../../../escaped", b"x")))
    unzip(plain, tmp_path / "deep" / "folder")
    assert list(tmp_path.rglob("escaped"))


@pytest.mark.guard_removed(EXPLODE)
@pytest.mark.parametrize("guard", ["ratio", "overlaps"])
def test_without_the_sums_a_bomb_goes_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, guard: str) -> None:
    plain = tmp_path / "plain.zip"
    monkeypatch.setattr(inner_zip, "_check_overlaps", lambda _: None)
    monkeypatch.setattr(NameTable, "add", lambda *_: None)
    plain.write_bytes(bomb() if guard == "ratio" else overlapping(times=1))
    summary = unzip(plain, tmp_path / "content", limits=UnzipLimits(max_ratio=1_000_000))
    assert summary.bytes > 500 * plain.stat().st_size


# --- at the control plane ---------------------------------------------------------------------------------------------


def outer(*entries: tuple[str, bytes]) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return output.getvalue()


DETECTION = "IntuneWinPackage/Metadata/Detection.xml"
ENTITIES = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">%s]><a>&z;</a>' % b"".join(
    b'<!ENTITY %s "%s">' % (bytes([98 + number]), b"&%s;" % bytes([97 + number]) * 10) for number in range(25)
)

UPLOADS: dict[str, Callable[[Path], bytes]] = {
    "nothing": lambda _good: b"",
    "no zip": lambda _good: b"MZ" + bytes(1000),
    "metadata of a gigabyte": lambda _good: outer((DETECTION, bytes(1 << 30))),
    "entities that multiply": lambda _good: outer((DETECTION, ENTITIES)),
    "entities from files": lambda _good: outer(
        (DETECTION, b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>')
    ),
    "metadata nested 100,000 deep": lambda _good: outer((DETECTION, b"<a>" * 100_000)),
    "a quarter of a million entries": lambda _good: outer(*((f"{number:x}", b"") for number in range(250_000))),
    "half a package": lambda good: good.read_bytes()[: good.stat().st_size // 2],
    "a changed bit": lambda good: (
        good.read_bytes()[:200] + bytes([good.read_bytes()[200] ^ 1]) + good.read_bytes()[201:]
    ),
}


PIECE = bytes(1 << 20)


def uploads_on_disk() -> int:
    """Bytes of what is being uploaded; what is removed meanwhile takes nothing."""
    taken = 0
    for folder in Path(tempfile.gettempdir()).glob("outrider-upload-*"):
        with suppress(FileNotFoundError):
            taken += sum(path.stat().st_size for path in folder.iterdir())
    return taken


def problem(answer: httpx.Response) -> Problem:
    assert answer.headers["Content-Type"] == "application/problem+json"
    return Problem.model_validate_json(answer.content)


def counted(site: Site, code: str) -> float:
    return site.metric(f'outrider_refused_requests_total{{reason="{code}",side="operator"}}')


@pytest.mark.attack(UPLOAD)
@pytest.mark.parametrize("name", UPLOADS)
def test_a_hostile_upload_is_refused_counted_and_costs_no_memory(
    site: Site, uploader: httpx.Client, name: str, refused_by: RefusedBy
) -> None:
    data, process = UPLOADS[name](site.package), psutil.Process()
    memory = process.memory_info().rss
    answer = uploader.post("/v1/packages", content=data)
    assert answer.status_code == 422
    found = problem(answer).code
    assert found.startswith("package-")
    assert counted(site, found) >= 1
    assert process.memory_info().rss - memory < 200_000_000
    assert uploader.get("/v1/health").status_code == 200
    refused_by(found)


@pytest.mark.attack(UPLOAD)
def test_an_upload_beyond_the_limit_is_cut_off(site: Site, uploader: httpx.Client, refused_by: RefusedBy) -> None:
    """What comes after the limit is written nowhere."""
    most, before = 0, counted(site, "package-too-large")

    def pieces() -> Iterator[bytes]:
        nonlocal most
        for _ in range(3 * PACKAGE_LIMIT_BYTES // len(PIECE)):
            most = max(most, uploads_on_disk())
            yield PIECE

    answer = uploader.post("/v1/packages", content=pieces())
    assert (answer.status_code, problem(answer).code) == (413, "package-too-large")
    assert counted(site, "package-too-large") == before + 1
    assert 0 < most <= PACKAGE_LIMIT_BYTES
    assert uploads_on_disk() == 0
    refused_by(problem(answer).code)


@pytest.mark.guard_removed(UPLOAD)
def test_a_parser_that_takes_definitions_multiplies_entities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six levels instead of twenty-five: expat itself stops far larger ones."""
    levels = ENTITIES.replace(b"<a>&z;</a>", b"<ApplicationInfo>&f;</ApplicationInfo>")
    monkeypatch.setattr("storage.intunewin.detection_xml.fromstring", lambda data, **_: ET.fromstring(data))
    assert len(detection_xml._parse(levels).text or "") == 10**6
