"""The agent's folders: where content is while it is on its way, and where logs go (behaviour P-06 to P-08)."""

import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contract.error_codes import ErrorCode
from contract.errors import DocumentError, InputError
from contract.jobs import JobRef
from contract.policy import Policy

_OWNER_ONLY = 0o700
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


@dataclass(frozen=True)
class Folders:
    """Every path the agent uses, below its state folder."""

    state: Path

    @property
    def identity(self) -> Path:
        """What enrolment made."""
        return self.state / "identity.json"

    @property
    def next_identity(self) -> Path:
        """The identity with new keys, from before they are sent until they are trusted."""
        return self.state / "identity-next.json"

    @property
    def ledger(self) -> Path:
        """The SQLite file."""
        return self.state / "ledger.sqlite3"

    @property
    def lock(self) -> Path:
        """Held by the one agent that works in this folder."""
        return self.state / "agent.lock"

    @property
    def logs(self) -> Path:
        """The agent's own log and the output of installers."""
        return self.state / "logs"

    @property
    def log_level(self) -> Path:
        """The word that says how much is logged."""
        return self.state / "log-level"

    @property
    def installer_logs(self) -> Path:
        """What installers printed, a file for each attempt."""
        return self.logs / "installers"

    @property
    def scripts(self) -> Path:
        """Rule scripts, while they run."""
        return self.state / "Content" / "Scripts"

    @property
    def incoming(self) -> Path:
        """Encrypted content as it arrives."""
        return self.state / "Content" / "Incoming"

    @property
    def staging(self) -> Path:
        """Content between decryption and being unzipped."""
        return self.state / "Content" / "Staging"

    @property
    def cache(self) -> Path:
        """Unpacked content: the folders installers run in."""
        return self.state / "IMECache"

    def create(self) -> None:
        """Make all folders, readable for the agent's own user only.

        Raises:
            InputError: STATE_FOLDER_UNUSABLE: they cannot be made.
        """
        with _usable(self.state):
            for folder in (self.state, self.installer_logs, self.scripts, self.incoming, self.staging, self.cache):
                folder.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY)
            _close_to_others(self.state)

    def is_enrolled(self) -> bool:
        """Whether there is an identity.

        Raises:
            InputError: STATE_FOLDER_UNUSABLE: only the agent's own user may look.
        """
        with _usable(self.state):
            return self.identity.exists()

    def incoming_file(self, policy: Policy) -> Path:
        """`Incoming/<app>_<revision>.bin` (behaviour P-06)."""
        return self.incoming / f"{content_name(policy)}.bin"

    def staged_zip(self, policy: Policy) -> Path:
        """The decrypted zip of a revision."""
        return self.staging / f"{content_name(policy)}.zip"

    def staged_tree(self, policy: Policy) -> Path:
        """Where a revision is unzipped before it moves to the cache as a whole."""
        return self.staging / content_name(policy)

    def content(self, policy: Policy) -> Path:
        """`IMECache/<app>_<revision>`: the unpacked revision (behaviour P-08)."""
        return self.cache / content_name(policy)

    def content_manifest(self, policy: Policy) -> Path:
        """The list of what that folder must hold."""
        return self.cache / f"{content_name(policy)}.manifest"

    def installer_log(self, policy: Policy, ref: JobRef) -> Path:
        """The file one attempt's installer writes its output to."""
        return self.installer_logs / f"{content_name(policy)}_{ref.job_id}_{ref.generation}_{ref.attempt}.log"

    def remove_content(self, policy: Policy) -> None:
        """Remove what is kept of an app in every cache, whatever its revision (behaviour B-59, C-12)."""
        for entry, _ in self._content_of(policy):
            remove(entry)

    def remove_superseded(self, policy: Policy) -> None:
        """Remove what failed attempts left of the app's other revisions: nobody will install those any more."""
        for entry, revision in self._content_of(policy):
            if revision != policy.revision:
                remove(entry)

    def _content_of(self, policy: Policy) -> Iterator[tuple[Path, int]]:
        """What is kept of an app in every cache, each with its revision."""
        prefix = f"{content_name(policy).rpartition('_')[0]}_"
        for folder in (self.incoming, self.staging, self.cache):
            for entry in list(folder.iterdir()):
                revision = entry.name.removeprefix(prefix).partition(".")[0]
                if entry.name.startswith(prefix) and revision.isdecimal():
                    yield entry, int(revision)


@contextmanager
def _usable(state: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(ErrorCode.STATE_FOLDER_UNUSABLE, detail=str(error), place=str(state)) from error


def _close_to_others(folder: Path) -> None:
    """Where modes of files say nothing."""
    if sys.platform == "win32":
        from worker.platform.windows_secrets import close_to_others  # noqa: PLC0415  it can be loaded on Windows only

        close_to_others(folder)


def content_name(policy: Policy) -> str:
    """`<app>_<revision>`, once it is known to be a plain file name.

    Raises:
        DocumentError: The app's id could lead out of the agent's folders.
    """
    if not _SAFE_NAME.fullmatch(policy.app_id):
        detail = f"{policy.app_id!r}; expected letters, digits, '.', '_' and '-'"
        raise DocumentError(ErrorCode.DOCUMENT_INVALID, detail=detail, place="Policy.app_id")
    return policy.content_folder_name


def remove(path: Path) -> None:
    """Remove a file or a whole folder; a missing one is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
