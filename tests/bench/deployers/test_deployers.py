import os
import sys
import tarfile
import time
from hashlib import sha256
from pathlib import Path

import psutil
import pytest

from deploy.local.polling import wait_until
from tests.bench.cpu_clock import cpu_seconds, family_cpu_seconds
from tests.bench.deployers import with_ansible, with_pyinfra
from tests.bench.deployers.cost import Deploy, run_counted
from tests.bench.deployers.small_app import APPS, SmallApp, empty_homes, is_installed, make_small_app
from tests.bench.deployers.with_outrider import IN_CONTROL, WARM_UP, running_fleet
from tests.bench.frame.tools import TOOLS

_HAS_TOOLS = (TOOLS / ".ready").exists()


@pytest.fixture
def app(tmp_path: Path) -> SmallApp:
    return make_small_app(tmp_path / "app")


def test_the_archive_is_the_folder_and_has_the_named_digest(app: SmallApp) -> None:
    assert sha256(app.archive.read_bytes()).hexdigest() == app.digest
    with tarfile.open(app.archive) as packed:
        assert sorted(packed.getnames()) == ["install.sh", "payload"]
    assert app.archive.stat().st_size > 1_000_000


def test_another_seed_makes_another_app_of_the_same_size(app: SmallApp, tmp_path: Path) -> None:
    other = make_small_app(tmp_path / "other", seed=2)
    payload, others = (one.source / "payload" for one in (app, other))
    assert payload.stat().st_size == others.stat().st_size
    assert payload.read_bytes() != others.read_bytes()


def test_an_app_with_another_byte_is_not_installed(app: SmallApp, tmp_path: Path) -> None:
    (home,) = empty_homes(tmp_path / "devices", 1)
    assert not is_installed(home, app, "editor")
    (home / APPS).mkdir()
    content = (app.source / "payload").read_bytes()
    (home / APPS / "editor").write_bytes(content)
    assert is_installed(home, app, "editor")
    (home / APPS / "editor").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert not is_installed(home, app, "editor")


def test_a_program_is_charged_with_its_own_work_and_apart_with_what_it_started(tmp_path: Path) -> None:
    script = tmp_path / "work.py"
    busy = "import time\nwhile time.process_time() < 1: pass\n"
    script.write_text(f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {busy!r}])\n", encoding="utf-8")
    (tmp_path / Path(sys.executable).name).symlink_to(sys.executable)
    run = run_counted([str(script)], tmp_path, {})
    assert run.own < 0.9
    assert 1 <= run.started < 1.9
    assert run.wall > 1


def test_a_program_that_fails_says_what_it_printed(tmp_path: Path) -> None:
    script = tmp_path / "fail.py"
    script.write_text("import sys; print('no such host'); sys.exit(3)", encoding="utf-8")
    (tmp_path / Path(sys.executable).name).symlink_to(sys.executable)
    with pytest.raises(AssertionError, match="no such host"):
        run_counted([str(script)], tmp_path, {})


def test_the_clock_of_a_process_counts_what_it_computes() -> None:
    before, began = cpu_seconds(os.getpid()), time.process_time()
    while time.process_time() - began < 0.5:
        pass
    assert 0.5 <= cpu_seconds(os.getpid()) - before < 1
    assert family_cpu_seconds(os.getpid()) >= cpu_seconds(os.getpid()) - 0.1


def test_there_is_no_clock_of_a_process_that_is_gone() -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        cpu_seconds(2**22)


@pytest.mark.integration
@pytest.mark.skipif(not _HAS_TOOLS, reason="`make bench` has not installed what it compares with")
@pytest.mark.parametrize("deploy", [with_pyinfra.deploy, with_ansible.deploy])
def test_the_others_bring_the_app_to_every_device(app: SmallApp, tmp_path: Path, deploy: Deploy) -> None:
    homes = empty_homes(tmp_path / "devices", 2)
    cost = deploy(app, "editor", homes, tmp_path / "controller")
    assert all(is_installed(home, app, "editor") for home in homes)
    assert cost.control > 0
    assert cost.devices > 0


@pytest.mark.integration
@pytest.mark.timeout(300)
def test_ours_brings_each_app_to_as_many_devices_as_are_asked_for(app: SmallApp, tmp_path: Path) -> None:
    homes = empty_homes(tmp_path / "devices", 2)
    with running_fleet(tmp_path / "stack", app, homes) as fleet:
        assert all((home / APPS / WARM_UP).exists() for home in homes)
        assert fleet.shares == {}
        first, both = fleet.deploy(1), fleet.deploy(2)
        parts = [psutil.Process(state.pid) for state in fleet.stack.status()]
    assert [is_installed(home, app, "editor-1") for home in homes] == [True, False]
    assert [is_installed(home, app, "editor-2") for home in homes] == [True, True]
    assert set(fleet.shares) == set(IN_CONTROL)
    assert both.control == pytest.approx(sum(fleet.shares.values()))
    assert first.devices > 0
    assert wait_until(lambda: not any(map(_is_alive, parts)), seconds=60)


def _is_alive(process: psutil.Process) -> bool:
    """Whether it still does anything; whose parent is gone may wait to be reaped."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
