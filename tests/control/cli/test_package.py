"""`outrider package` as its users type it."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from control.cli.package import package_app
from storage.intunewin.detection_xml import write_detection_xml
from storage.intunewin.reader import read_metadata

Run = Callable[..., Result]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    (root / "sub").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / ".git" / "HEAD").write_text("ref")
    (root / "setup.exe").write_bytes(b"MZ" * 500)
    (root / "sub" / "data.txt").write_text("data")
    return root


@pytest.fixture
def run() -> Run:
    app = typer.Typer()
    app.add_typer(package_app, name="package")
    app.command("other")(lambda: None)

    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(app, ["package", *map(str, arguments)])

    return invoke


@pytest.fixture
def package(run: Run, source: Path, tmp_path: Path) -> Path:
    assert run("build", source, "--setup", "setup.exe", "--output", tmp_path / "out").exit_code == 0
    return tmp_path / "out" / "setup.intunewin"


def test_a_build_prints_what_it_built_and_what_it_left_out(run: Run, source: Path, tmp_path: Path) -> None:
    result = run("build", source, "--setup", "setup.exe", "--output", tmp_path / "out")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == f"Built {tmp_path / 'out' / 'setup.intunewin'}"
    assert "left out: .git/" in result.stdout


@pytest.mark.parametrize("command", [[], ["build"]])
@pytest.mark.parametrize("trailing", ["", "/", '"'])
def test_the_options_of_the_original_tool_work(
    run: Run, source: Path, tmp_path: Path, command: list[str], trailing: str
) -> None:
    result = run(*command, "-c", f"{source}{trailing}", "-s", source / "setup.exe", "-o", tmp_path / "out", "-q")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "setup.intunewin").is_file()


def test_twice_quiet_prints_nothing(run: Run, source: Path, tmp_path: Path) -> None:
    result = run("-c", source, "-s", "setup.exe", "-o", tmp_path / "out", "-qq")
    assert (result.exit_code, result.output) == (0, "")


def test_no_arguments_show_the_help(run: Run) -> None:
    result = run()
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_the_json_of_a_build_names_the_package_and_hides_the_keys(run: Run, source: Path, tmp_path: Path) -> None:
    result = run("build", source, "-s", "setup.exe", "-o", tmp_path, "--name", "mine", "--json")
    built = json.loads(result.stdout)
    assert built["path"] == str(tmp_path / "mine.intunewin")
    assert (built["files"], built["source_bytes"], built["ignored"]) == (2, 1004, [".git/"])
    assert "hidden" in built["metadata"]["encryption"]["encryption_key"]


def test_a_whole_package_verifies(run: Run, package: Path) -> None:
    result = run("verify", package)
    assert result.exit_code == 0
    assert "whole" in result.stdout
    assert json.loads(run("verify", package, "--json").stdout)["unusual"] == []


def test_a_damaged_package_is_named_with_reason_and_hint(run: Run, package: Path) -> None:
    data = bytearray(package.read_bytes())
    data[200] ^= 1
    package.write_bytes(data)
    result = run("verify", package)
    assert result.exit_code == 2
    assert "damaged" in result.stderr
    assert "MAC" in result.stderr
    assert "Hint: " in result.stderr
    assert json.loads(run("verify", package, "--json").stderr)["error"]["code"] == "package-corrupt"


def test_inspect_shows_keys_only_when_asked(run: Run, package: Path) -> None:
    assert "hidden" in run("inspect", package).stdout
    shown = json.loads(run("inspect", package, "--json", "--show-keys", "--digests").stdout)
    assert len(shown["metadata"]["encryption"]["encryption_key"]) == 44
    assert [file["name"] for file in shown["files"]] == ["setup.exe", "sub/data.txt"]
    assert len(shown["files"][0]["sha256"]) == 64


def test_a_hostile_name_cannot_steer_the_terminal(run: Run, package: Path, tmp_path: Path) -> None:
    metadata = read_metadata(package).model_copy(update={"name": "\x9b2Jevil"})
    with zipfile.ZipFile(package) as outer:
        blob = outer.read(outer.namelist()[0])
    hostile = tmp_path / "hostile.intunewin"
    with zipfile.ZipFile(hostile, "w") as outer:
        outer.writestr("IntuneWinPackage/Contents/x", blob)
        outer.writestr("IntuneWinPackage/Metadata/Detection.xml", write_detection_xml(metadata))
    result = run("inspect", hostile)
    assert result.exit_code == 0
    assert "\ufffd2Jevil" in result.stdout


def test_extract_makes_the_folder_and_never_touches_a_full_one(run: Run, package: Path, tmp_path: Path) -> None:
    assert run("extract", package, "-o", tmp_path / "content").exit_code == 0
    assert (tmp_path / "content" / "sub" / "data.txt").read_text() == "data"
    assert run("extract", package, "-o", tmp_path / "content").exit_code == 2


def test_diff_tells_by_exit_status_whether_content_differs(
    run: Run, package: Path, source: Path, tmp_path: Path
) -> None:
    (source / "sub" / "data.txt").write_text("new")
    (source / "more.txt").touch()
    other = tmp_path / "other" / "setup.intunewin"
    run("build", source, "-s", "setup.exe", "-o", other.parent, "--fast")
    same, different = run("diff", package, package), run("diff", package, other, "--json")
    assert (same.exit_code, different.exit_code) == (0, 1)
    found = json.loads(different.stdout)
    assert (found["added"], found["changed"], found["unchanged"]) == (["more.txt"], ["sub/data.txt"], 1)


def test_a_bare_blob_is_read_with_its_metadata(run: Run, package: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(package) as outer:
        blob, xml = (tmp_path / name for name in ("content.blob", "Detection.xml"))
        blob.write_bytes(outer.read(outer.namelist()[0]))
        xml.write_bytes(outer.read(outer.namelist()[1]))
    assert run("verify", blob, "--xml", xml).exit_code == 0
    assert run("diff", package, blob, "--second-xml", xml).exit_code == 0


def test_a_reproducible_build_needs_a_secret_and_gives_equal_bytes(run: Run, source: Path, tmp_path: Path) -> None:
    arguments = ["build", source, "-s", "setup.exe", "--reproducible"]
    assert "--secret-file" in run(*arguments, "-o", tmp_path / "a").stderr
    secret = tmp_path / "secret"
    secret.write_text("short")
    assert "at least 16" in run(*arguments, "-o", tmp_path / "a", "--secret-file", secret).stderr
    secret.write_text("correct horse battery staple")
    for name in ("a", "b"):
        os.utime(source / "setup.exe", (0, len(name)))
        assert run(*arguments, "-o", tmp_path / name, "--secret-file", secret).exit_code == 0
    assert (tmp_path / "a" / "setup.intunewin").read_bytes() == (tmp_path / "b" / "setup.intunewin").read_bytes()


@pytest.mark.parametrize("arguments", [["build", "missing", "-s", "x"], ["verify", "missing"], ["extract", "missing"]])
def test_wrong_input_ends_with_a_sentence_and_no_traceback(run: Run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_it_works_without_a_console(source: Path, tmp_path: Path) -> None:
    code = "from control.cli.package import package_app; package_app()"
    command = [sys.executable, "-c", code, "-c", str(source), "-s", "setup.exe", "-o", str(tmp_path / "out")]
    environment = {"PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, env=environment, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\x1b" not in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_ctrl_c_ends_a_build_with_130_and_leaves_nothing(source: Path, tmp_path: Path) -> None:
    block = os.urandom(1 << 20)
    with (source / "large.bin").open("wb") as file:
        for _ in range(300):
            file.write(block)
    output = tmp_path / "out"
    code = "from control.cli.package import package_app; package_app()"
    command = [sys.executable, "-c", code, "-c", str(source), "-s", "setup.exe", "-o", str(output)]
    with subprocess.Popen(
        command, env={"PYTHONPATH": str(Path.cwd())}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        while not output.exists() and running.poll() is None:
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert b"Traceback" not in errors
    assert not output.exists()
