"""Many devices on one machine, unpacking and starting programs at once: nothing is busy, nothing is left behind."""

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from contract.policy import Commands
from contract.states import Outcome
from tests.worker.rig import PackedContent, Rig, pack

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files that are busy while they are written")

_DEVICES = 16
_SHELL_LINE = "#!/bin/sh\n"
#: The program that is started starts another of the package by itself: both may be busy.
_SETUP = _SHELL_LINE + 'chmod +x ./inner && ./inner "$TARGET"\n'
_INNER = _SHELL_LINE + 'cp payload "$1/editor"\n'


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> PackedContent:
    """A package whose programs are started directly."""
    folder = tmp_path_factory.mktemp("programs")
    source = folder / "source"
    source.mkdir()
    for name, text in {"install.sh": _SETUP, "inner": _INNER, "payload": "x" * 100_000}.items():
        (source / name).write_text(text, encoding="utf-8")
    return pack(source, folder)


@pytest.fixture
def rigs(tmp_path: Path, programs: PackedContent) -> Iterator[list[Rig]]:
    """One device for each thread."""
    made = [Rig(tmp_path / str(number), programs) for number in range(_DEVICES)]
    yield made
    for rig in made:
        rig.device.ledger.close()


def _install_again_and_again(rig: Rig, times: int) -> list[Outcome]:
    commands = Commands(install="./install.sh", uninstall="true")
    for _ in range(times):
        (rig.target / "editor").unlink(missing_ok=True)
        rig.run(rig.new_job(commands=commands))
    return [report.outcome for report in rig.uplink.reports]


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0


def _run(rigs: list[Rig], installs: int) -> None:
    times = -(-installs // _DEVICES)
    files, threads = _open_files(), set(threading.enumerate())
    processes = set(psutil.Process().children(recursive=True))
    with ThreadPoolExecutor(_DEVICES) as pool:
        outcomes = [
            one for device in pool.map(lambda rig: _install_again_and_again(rig, times), rigs) for one in device
        ]
    assert outcomes == [Outcome.INSTALLED] * (times * _DEVICES)
    assert set(psutil.Process().children(recursive=True)) <= processes
    assert set(threading.enumerate()) <= threads
    # Each ledger keeps a connection for each thread that used it.
    assert _open_files() <= files + 3 * _DEVICES
    for rig in rigs:
        folders = rig.device.folders
        assert [*folders.incoming.iterdir(), *folders.staging.iterdir(), *folders.cache.iterdir()] == []


def test_two_hundred_installs_of_sixteen_devices_leave_no_process_and_no_file(rigs: list[Rig]) -> None:
    _run(rigs, 200)
