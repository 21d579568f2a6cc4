"""Secrets as files: in a private folder in memory where the system has one, for as long as their command runs."""

import hashlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog

from contract.jobs import JobRef
from worker.folders import remove
from worker.installation.command import mark
from worker.processes.account import Account
from worker.processes.mark import marked

_log = structlog.get_logger(__name__)

#: A file system in memory, where the system has it.
MEMORY: Final = Path("/dev/shm")  # noqa: S108  folders in it are made private, under names nobody can guess
_OWNER_READS: Final = 0o600
_OWNER_ONLY: Final = 0o700
_STATE_NAME_CHARACTERS: Final = 16
_ATTEMPT: Final = re.compile(r"(?P<job>[0-9a-f-]{36})-(?P<generation>\d+)-(?P<attempt>\d+)-")


class SecretFiles:
    """The folders of one agent's attempts.

    Args:
        state: The agent's state folder; its folders elsewhere carry a name made of it.
        memory: The file system in memory.
    """

    def __init__(self, state: Path, memory: Path = MEMORY) -> None:
        digest = hashlib.sha256(str(state.resolve()).encode()).hexdigest()
        self._prefix = f"outrider-secrets-{digest[:_STATE_NAME_CHARACTERS]}-"
        self._memory = memory
        self._state = state / "Secrets"
        self._in_use: set[JobRef] = set()
        self._lock = threading.Lock()

    @contextmanager
    def placed(self, ref: JobRef, values: Mapping[str, str], account: Account | None) -> Iterator[Path]:
        """A folder with these files while the block runs; only the account that runs the command can read them.

        Raises:
            OSError: The system refused.
        """
        with self._lock:
            self._in_use.add(ref)
        try:
            folder = self._folder(ref, account)
            for name, value in values.items():
                _write(folder / name, value, account)
            # The folder changes hands last: until then nobody can put anything in the way.
            _give(folder, account)
            yield folder
        finally:
            with self._lock:
                self._in_use.discard(ref)
            self.remove(ref)

    def remove(self, ref: JobRef) -> None:
        """Remove what an attempt left."""
        for folder, of in self._folders():
            if of == ref:
                _remove(folder)

    def sweep(self) -> None:
        """Remove what attempts left whose installer has ended without this agent."""
        for folder, ref in self._folders():
            with self._lock:
                in_use = ref in self._in_use
            if not in_use and not marked(mark(ref)):
                _remove(folder)

    def _folder(self, ref: JobRef, account: Account | None) -> Path:
        prefix = f"{self._prefix}{ref.job_id}-{ref.generation}-{ref.attempt}-"
        # mkdtemp makes it for its owner only, under a name that was not there.
        return Path(tempfile.mkdtemp(prefix=prefix, dir=self._parent(account)))

    def _parent(self, account: Account | None) -> Path:
        # A path without a drive would mean another folder to each program.
        if self._memory.is_absolute() and self._memory.is_dir() and os.access(self._memory, os.W_OK | os.X_OK):
            return self._memory
        if account is not None and not account.is_own:
            # The state folder is closed to this account.
            return Path(tempfile.gettempdir())
        self._state.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
        return self._state

    def _folders(self) -> Iterator[tuple[Path, JobRef]]:
        for parent in {self._memory, self._state, Path(tempfile.gettempdir())}:
            for folder in parent.glob(f"{self._prefix}*"):
                found = _ATTEMPT.match(folder.name.removeprefix(self._prefix))
                if found is not None:
                    yield folder, _ref(found)


def _ref(found: re.Match[str]) -> JobRef:
    return JobRef(job_id=found["job"], generation=int(found["generation"]), attempt=int(found["attempt"]))


def _write(path: Path, value: str, account: Account | None) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_READS)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(value)
    _give(path, account)


def _give(path: Path, account: Account | None) -> None:
    if sys.platform != "win32" and account is not None and not account.is_own:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _remove(folder: Path) -> None:
    try:
        remove(folder)
    except OSError as error:
        # The next sweep tries again.
        _log.warning("a folder of an ended command could not be removed", place=str(folder), error=error.strerror)
