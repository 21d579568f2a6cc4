"""Wrong inputs get one clear sentence, a hint and a status; nothing half-done stays."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from contract.exit_statuses import ExitStatus
from tests.e2e.conftest import Demo

pytestmark = [pytest.mark.integration, pytest.mark.e2e]

MANIFEST = """\
name: broken
installCommandLine: sh install.sh
uninstallCommandLine: sh uninstall.sh
detectionRules: [{type: file, path: "%HOME%", fileOrFolderName: broken}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.yaml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "install.sh").write_text('touch "$HOME/broken"\n', encoding="utf-8")
    return tmp_path


def _build(demo: Demo, folder: Path) -> Path:
    built = demo.run(f"outrider package build {folder / 'source'} --setup install.sh --output {folder} -q")
    assert built.returncode == 0, built.stderr
    return folder / "install.intunewin"


def _assert_clear(stderr: str, words: str) -> None:
    assert "Traceback" not in stderr
    assert re.search(r"^Error: .+\.$", stderr, re.MULTILINE)
    assert re.search(r"^Hint: .+\.$", stderr, re.MULTILINE)
    assert words in stderr


@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        ("outrider app publish {folder}/source --manifest {folder}/app.yaml", ExitStatus.USAGE, "not an .intunewin"),
        ("outrider app publish {folder}/none.intunewin", ExitStatus.USAGE, "none.intunewin"),
        ("outrider package build {folder}/source --setup none.sh --output {folder}", ExitStatus.USAGE, "none.sh"),
        ("outrider package build {folder}/none --setup install.sh --output {folder}", ExitStatus.USAGE, "none"),
        ("outrider assign hello --group nobody", ExitStatus.USAGE, "no such group"),
        ("outrider assign nothing --group demo-devices", ExitStatus.USAGE, "no such app"),
        ("outrider device show nothing", ExitStatus.USAGE, "no such device"),
        ("outrider app show nothing", ExitStatus.USAGE, "no such app"),
        ("outrider status --group nobody", ExitStatus.USAGE, "no such group"),
        ("outrider-agent enroll {url} wrong-token --state-dir {folder}/agent", ExitStatus.REFUSED, "token"),
        ("outrider-agent status --state-dir {folder}/agent", ExitStatus.USAGE, "not enrolled"),
        ("outrider-agent run --state-dir {folder}/agent", ExitStatus.USAGE, "not enrolled"),
        ("outrider-agent enroll http://127.0.0.1:1 token --state-dir {folder}/agent", ExitStatus.UNAVAILABLE, "answer"),
    ],
)
def test_it_says_what_is_wrong_and_what_to_do(
    demo: Demo, folder: Path, line: str, status: ExitStatus, words: str
) -> None:
    done = demo.run(line.format(folder=folder, url=demo.operator.environment["OUTRIDER_URL"]))
    assert (done.returncode, done.stdout) == (status, "")
    _assert_clear(done.stderr, words)


def test_a_corrupt_package_is_refused_and_nothing_of_it_can_be_seen(demo: Demo, folder: Path) -> None:
    package = _build(demo, folder)
    data = bytearray(package.read_bytes())
    data[len(data) // 3] ^= 1
    package.write_bytes(data)
    done = demo.run(f"outrider app publish {package} --manifest {folder}/app.yaml --json")
    assert done.returncode == ExitStatus.USAGE
    assert json.loads(done.stderr)["error"]["code"] == "package-corrupt"
    assert "broken" not in demo.run("outrider app list").stdout


def test_a_store_that_is_down_is_named_and_nothing_is_published(demo: Demo, folder: Path) -> None:
    package = _build(demo, folder)
    demo.stack.remove("store")
    try:
        done = demo.run(f"outrider app publish {package} --manifest {folder}/app.yaml")
    finally:
        demo.stack.up()
    assert done.returncode == ExitStatus.UNAVAILABLE
    _assert_clear(done.stderr, "content store does not answer")
    assert "broken" not in demo.run("outrider app list").stdout
    assert demo.run(f"outrider app publish {package} --manifest {folder}/app.yaml").returncode == 0


def test_a_wrong_token_of_an_operator_is_refused(demo: Demo) -> None:
    environment = {**demo.operator.environment, "OUTRIDER_TOKEN": "wrong"}
    done = replace(demo, operator=replace(demo.operator, environment=environment)).run("outrider device list")
    assert done.returncode == ExitStatus.REFUSED
    _assert_clear(done.stderr, "token")


@pytest.mark.parametrize(
    "line", ["app list", "app show hello", "group list", "device list", "device show laptop-new", "status"]
)
def test_every_answer_is_to_be_had_as_json(demo: Demo, line: str) -> None:
    done = demo.run(f"outrider {line} --json")
    assert done.returncode == 0
    assert json.loads(done.stdout)
    assert demo.run(f"outrider {line}").returncode == 0
