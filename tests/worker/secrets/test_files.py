import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from contract.clock import ManualClock
from contract.jobs import JobRef
from deploy.local.polling import wait_until
from worker.installation.command import mark
from worker.processes.account import account_of
from worker.processes.mark import MARK, marked
from worker.secrets.duty import INTERVAL_SECONDS, SweepingDuty
from worker.secrets.files import MEMORY, SecretFiles

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes and accounts of POSIX")


@pytest.fixture
def ref() -> JobRef:
    return JobRef(job_id=str(uuid4()), generation=1, attempt=2)


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    folder = tmp_path / "memory"
    folder.mkdir()
    return folder


@pytest.fixture
def files(tmp_path: Path, memory: Path) -> SecretFiles:
    return SecretFiles(tmp_path / "state", memory)


@pytest.fixture
def installer(ref: JobRef) -> Iterator[subprocess.Popen[bytes]]:
    """A process that carries the attempt's mark, as an installer that outlived its agent does."""
    with subprocess.Popen(["sleep", "60"], env={MARK: mark(ref)}) as process:
        assert wait_until(lambda: bool(marked(mark(ref))), seconds=10)
        yield process
        process.kill()


def _give_and_die(state: Path, memory: Path, ref: JobRef) -> None:
    """An agent in a process of its own that is killed while its command has secrets."""
    code = (
        "import os, sys; from pathlib import Path; from contract.jobs import JobRef;"
        "from worker.secrets.files import SecretFiles;"
        "files = SecretFiles(Path(sys.argv[1]), Path(sys.argv[2]));"
        "ref = JobRef.model_validate_json(sys.argv[3]);"
        "given = files.placed(ref, {'licence': 'secret'}, None); given.__enter__(); os._exit(9)"
    )
    arguments = [str(state), str(memory), ref.model_dump_json()]
    assert subprocess.run([sys.executable, "-c", code, *arguments], check=False).returncode == 9
    assert _left(memory)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _left(folder: Path) -> list[Path]:
    return list(folder.glob("outrider-secrets-*"))


def test_files_are_there_for_their_owner_only_and_as_they_were_given(
    files: SecretFiles, ref: JobRef, memory: Path
) -> None:
    before = os.umask(0)
    try:
        with files.placed(ref, {"licence": "line\r\nline ü\n"}, None) as folder:
            assert folder.parent == memory
            assert (_mode(folder), _mode(folder / "licence")) == (0o700, 0o600)
            assert (folder / "licence").read_bytes() == "line\r\nline ü\n".encode()
    finally:
        os.umask(before)
    assert not _left(memory)


def test_files_are_gone_when_the_block_fails(files: SecretFiles, ref: JobRef, memory: Path) -> None:
    with pytest.raises(RuntimeError), files.placed(ref, {"licence": "secret"}, None):
        raise RuntimeError
    assert not _left(memory)


def test_files_that_cannot_be_written_leave_nothing(files: SecretFiles, ref: JobRef, memory: Path) -> None:
    with pytest.raises(OSError), files.placed(ref, {"a": "secret", "b/c": "secret"}, None):  # noqa: PT011
        pass
    assert not _left(memory)


def test_without_a_file_system_in_memory_they_are_in_the_state_folder(tmp_path: Path, ref: JobRef) -> None:
    files = SecretFiles(tmp_path / "state", tmp_path / "no-memory")
    with files.placed(ref, {"licence": "secret"}, None) as folder:
        assert folder.parent == tmp_path / "state" / "Secrets"
        assert _mode(folder.parent) == 0o700
    assert not _left(tmp_path / "state" / "Secrets")


@pytest.mark.skipif(not MEMORY.is_dir(), reason="no file system in memory here")
def test_the_systems_own_file_system_in_memory_is_used(tmp_path: Path, ref: JobRef) -> None:
    with SecretFiles(tmp_path / "state").placed(ref, {"licence": "secret"}, None) as folder:
        assert folder.parent == MEMORY
    assert not folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")
def test_another_accounts_files_are_that_accounts_alone(files: SecretFiles, ref: JobRef, memory: Path) -> None:
    nobody = account_of("nobody")
    assert nobody is not None
    with files.placed(ref, {"licence": "secret"}, nobody) as folder:
        for path in (folder, folder / "licence"):
            assert (path.stat().st_uid, path.stat().st_gid) == (nobody.uid, nobody.gid)
        assert (_mode(folder), _mode(folder / "licence")) == (0o700, 0o600)
    assert not _left(memory)


def test_what_a_killed_agent_left_is_swept_by_the_next(tmp_path: Path, memory: Path, ref: JobRef) -> None:
    _give_and_die(tmp_path / "state", memory, ref)
    SecretFiles(tmp_path / "state", memory).sweep()
    assert not _left(memory)


def test_files_of_an_installer_that_still_runs_stay_until_it_has_ended(
    tmp_path: Path, memory: Path, ref: JobRef, installer: subprocess.Popen[bytes]
) -> None:
    _give_and_die(tmp_path / "state", memory, ref)
    next_agents = SecretFiles(tmp_path / "state", memory)
    next_agents.sweep()
    assert _left(memory)
    installer.kill()
    installer.wait()
    next_agents.sweep()
    assert not _left(memory)


def test_sweeping_leaves_what_is_being_given_and_what_other_agents_have(
    tmp_path: Path, memory: Path, ref: JobRef, files: SecretFiles
) -> None:
    other = SecretFiles(tmp_path / "other-state", memory)
    with files.placed(ref, {"licence": "a"}, None) as own, other.placed(ref, {"licence": "b"}, None) as others:
        files.sweep()
        assert own.exists()
        assert others.exists()


def test_a_link_in_the_place_of_a_folder_is_not_followed(files: SecretFiles, ref: JobRef, memory: Path) -> None:
    precious = memory / "precious"
    precious.mkdir()
    (precious / "file").touch()
    with files.placed(ref, {"licence": "secret"}, None) as folder:
        name = folder.name
    (memory / name).symlink_to(precious)
    files.sweep()
    assert (precious / "file").exists()
    assert not (memory / name).is_symlink()


def test_the_duty_sweeps_at_start_and_once_an_hour(tmp_path: Path, memory: Path, ref: JobRef) -> None:
    clock = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))
    _give_and_die(tmp_path / "state", memory, ref)
    duty = SweepingDuty(SecretFiles(tmp_path / "state", memory), clock)
    assert duty.turn() == INTERVAL_SECONDS
    assert not _left(memory)
