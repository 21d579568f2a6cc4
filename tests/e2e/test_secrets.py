"""A job whose command is given secrets: it gets them, and nothing else in the whole stack ever shows one."""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import redis

from contract.jobs import JobState
from contract.states import Outcome
from control.views.jobs import JobDetail
from deploy.local.secret_values import StackSecrets
from storage.intunewin.reader import read_metadata
from tests.e2e import secret_scan as scan
from tests.e2e.conftest import Demo, wait_until
from tests.e2e.secret_scan import KnownSecret, Overheard, findings
from tests.support.broker import url_of_tester
from worker.identity import load_identity
from worker.logs.known_secrets import STRUCK_OUT
from worker.secrets.files import MEMORY

pytestmark = [pytest.mark.integration, pytest.mark.e2e]

DEVICE = "laptop-has-it"
APP = "licensed"
LICENCE = "LIC-7731-QWZX-0042"
PASSWORD = "correct horse/battery+staple"
#: Prints what it must not, waits to be looked at, and keeps what it got where only this test looks.
INSTALL = """\
licence="$(cat "$OUTRIDER_SECRETS_DIR/licence")"
echo "installing with $licence and $EDITOR_PASSWORD"
printf '%s' "$EDITOR_PASSWORD" | base64
stat -c '%a %u' "$OUTRIDER_SECRETS_DIR" "$OUTRIDER_SECRETS_DIR/licence" > "$HOME/licensed.modes"
touch "$HOME/licensed.begun"
while [ ! -f "$HOME/licensed.go" ]; do sleep 0.1; done
printf '%s\\n%s\\n' "$licence" "$EDITOR_PASSWORD" > "$HOME/licensed"
"""
SECRETS = [
    {"name": "editor-licence", "file": "licence"},
    {"name": "editor-password", "env": "EDITOR_PASSWORD", "command": "both"},
]


@dataclass(frozen=True)
class Looked:
    """All that was found while the command ran and afterwards."""

    job: JobDetail
    secrets: list[KnownSecret]
    places: dict[str, scan.Place]
    seen_while_running: list[str]


@pytest.fixture(scope="module")
def looked(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Looked:
    """Run the job, listening to the broker all the while."""
    folder = tmp_path_factory.mktemp("licensed")
    with scan.overhearing(demo) as heard:
        _keep(demo, folder, "editor-licence", LICENCE)
        _keep(demo, folder, "editor-password", PASSWORD)
        demo.publish(folder, APP, {"install.sh": INSTALL}, detection="licensed", secrets=SECRETS)
        demo.assign(APP, DEVICE)
        wait_until((demo.home(DEVICE) / "licensed.begun").exists)
        while_running = _in_memory()
        meanwhile = scan.processes()
        (demo.home(DEVICE) / "licensed.go").touch()
        job = demo.wait_for_job(APP, DEVICE, lambda job: job.state is JobState.FINISHED)
        places = _places(demo, heard)
    places |= {f"{name} while the command ran": place for name, place in meanwhile.items()}
    return Looked(job, _secrets(demo, folder), places, while_running)


def _keep(demo: Demo, folder: Path, name: str, value: str) -> None:
    path = folder / name
    path.write_text(value, encoding="utf-8")
    demo.operator.type("outrider", "secret", "set", name, "--from-file", str(path))


def _places(demo: Demo, heard: Overheard) -> dict[str, scan.Place]:
    layout, state = demo.stack.layout, demo.state(DEVICE)
    return {
        "broker": scan.broker(demo),
        "what went through the broker": heard.place(),
        "device": scan.files(state, leave_out=[state / "identity.json"]),
        "logs of the parts": scan.files(layout.logs),
        "database": scan.database(demo),
        "content store": scan.files(layout.part("store")),
        "Flower": scan.flower(demo),
        "answers of the API": scan.answers(demo, APP, DEVICE),
        **scan.processes(),
    }


def _secrets(demo: Demo, folder: Path) -> list[KnownSecret]:
    encryption = read_metadata(folder / "packages" / "install.intunewin").encryption
    identity = load_identity(demo.state(DEVICE) / "identity.json")
    stack = StackSecrets.load_or_make(demo.stack.layout.secrets)
    # Each part is told its own password by its environment, which only its own account and root can read.
    told = frozenset({"environments", "environments while the command ran"})
    # The policy holds it: it opens nothing, and tells a right content from a wrong one.
    policy = frozenset({"device", "database"})
    # The store's own users are set up with it, in its own folder.
    of_store = frozenset({"content store"}) | told
    return [
        KnownSecret("installer's licence", LICENCE.encode()),
        KnownSecret("installer's password", PASSWORD.encode()),
        KnownSecret("content key", encryption.encryption_key),
        KnownSecret("MAC key", encryption.mac_key, policy),
        KnownSecret("device's broker secret", identity.broker_secret.encode()),
        KnownSecret("device's signing key", identity.signing_key),
        KnownSecret("device's sealing key", identity.sealing_key),
        KnownSecret("operator's token", demo.operator.environment["OUTRIDER_TOKEN"].encode()),
        *(
            KnownSecret(f"{path.name}", path.read_bytes().strip())
            for path in demo.stack.layout.control_state.rglob("*.key")
        ),
        *(KnownSecret(f"broker password of {user}", word.encode(), told) for user, word in stack.broker.items()),
        KnownSecret("key of the content store", stack.store_key.encode(), of_store),
        KnownSecret("Flower's password", stack.dashboard.encode(), told),
    ]


def _in_memory() -> list[str]:
    return [path.name for path in MEMORY.glob("outrider-secrets-*")]


def test_the_command_gets_what_it_was_given_and_nothing_of_it_stays(demo: Demo, looked: Looked) -> None:
    assert looked.job.outcome is Outcome.INSTALLED
    home = demo.home(DEVICE)
    assert (home / "licensed").read_text(encoding="utf-8").splitlines() == [LICENCE, PASSWORD]
    own = str(os.geteuid())
    assert (home / "licensed.modes").read_text(encoding="utf-8").split() == ["700", own, "600", own]
    assert len(looked.seen_while_running) == 1
    assert _in_memory() == []


def test_what_it_printed_of_them_is_struck_out(demo: Demo, looked: Looked) -> None:
    (log,) = (demo.state(DEVICE) / "logs" / "installers").glob(f"*{looked.job.id}*")
    assert log.read_text(encoding="utf-8").splitlines() == [
        f"installing with {STRUCK_OUT} and {STRUCK_OUT}",
        STRUCK_OUT,
    ]


def test_no_secret_is_anywhere_but_where_it_belongs(looked: Looked) -> None:
    assert len(looked.secrets) > 12
    assert all(looked.places.values())
    assert findings(looked.secrets, looked.places) == []


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ("broker", "device."),
        ("what went through the broker", "device."),
        ("device", APP),
        ("logs of the parts", "outrider"),
        ("database", APP),
        ("content store", "content"),
        ("Flower", DEVICE),
        ("answers of the API", APP),
        ("command lines", "outrider-agent"),
        ("command lines while the command ran", "install.sh"),
        ("environments", "OUTRIDER_AGENT_STATE_DIR"),
        ("environments while the command ran", "OUTRIDER_AGENT_STATE_DIR"),
    ],
)
def test_the_scan_sees_what_is_there(looked: Looked, place: str, word: str) -> None:
    assert findings([KnownSecret("a known word", word.encode())], {place: looked.places[place]})


def test_every_place_is_proven_to_be_seen(looked: Looked) -> None:
    (marker,) = (mark for mark in test_the_scan_sees_what_is_there.pytestmark if mark.name == "parametrize")  # type: ignore[attr-defined]  # pytest's own
    assert {place for place, _ in marker.args[1]} == looked.places.keys()


@pytest.fixture
def planted(demo: Demo) -> Iterator[KnownSecret]:
    """A canary in the broker, a device's folder, a part's log, a command line and an environment."""
    secret = KnownSecret("canary", b"canary-4711-zebra?")
    encoded = [form for form in secret.forms() if form.isascii()]
    device, log = demo.state(DEVICE) / "canary", demo.stack.layout.logs / "canary.log"
    client = redis.Redis.from_url(url_of_tester(demo.stack.addresses.ports["broker"]))
    client.rpush("canary", b"x" + encoded[1])
    device.write_bytes(b"{" + encoded[-1])
    log.write_bytes(b"says " + secret.value)
    command = [sys.executable, "-c", "import time; time.sleep(60)", secret.value.decode()]
    with subprocess.Popen(command, env={"CANARY": secret.value.decode()}) as process:
        wait_until(lambda: "sleep" in " ".join(psutil.Process(process.pid).cmdline()))
        yield secret
        process.kill()
    client.delete("canary")
    client.close()
    device.unlink()
    log.unlink()


def test_a_planted_secret_is_found_in_each_place_and_form(demo: Demo, planted: KnownSecret) -> None:
    with scan.overhearing(demo) as heard:
        client = redis.Redis.from_url(url_of_tester(demo.stack.addresses.ports["broker"]))
        client.set("canary-told", planted.value)
        client.delete("canary-told")
        client.close()
        wait_until(lambda: any(b"canary-told" in line for line in heard.lines))
        places = _places(demo, heard)
    found = {line.partition(" in ")[2].partition(":")[0] for line in findings([planted], places)}
    assert found >= {
        "broker", "what went through the broker", "device", "logs of the parts", "command lines", "environments",
    }  # fmt: skip


@pytest.mark.parametrize("secret", [b"canary-4711", bytes(range(100, 132)), "zwölf?".encode() * 2])
def test_a_secret_is_recognised_in_every_form_it_may_come_in(secret: bytes) -> None:
    known = KnownSecret("canary", secret)
    for padding in range(4):
        inside = b"p" * padding + secret + b'"}'
        for encoded in (base64.b64encode(inside), base64.urlsafe_b64encode(inside), inside.hex().encode(), inside):
            assert findings([known], {"place": {"part": encoded}}), (padding, encoded)
    assert not findings([known], {"place": {"part": b"nothing of the kind"}})
